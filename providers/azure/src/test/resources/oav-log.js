// Lets oav judge a log of RecordingHttp: node oav-log.js OAV SPECIFICATION LOG. Prints a line for each finding, and last
// how many exchanges were judged. The document at hand is older than what the SDK names, and has the same parts; it
// knows no refusals, so of those the request alone is judged.
const fs = require("fs");
const [oav, specification, log] = process.argv.slice(2);
const { LiveValidator } = require(oav + "/dist/lib/liveValidation/liveValidator.js");
const versions = { "2025-01-02": "2023-10-02", "2025-04-01": "2024-03-01" };

const parsed = (text) => (text ? JSON.parse(text) : undefined);

(async () => {
  const validator = new LiveValidator({
    directory: specification,
    swaggerPathsPattern: ["**/DiskRP/stable/2023-10-02/*.json", "**/ComputeRP/stable/2024-03-01/*.json"],
    git: { shouldClone: false },
    loadValidatorInBackground: false,
  });
  await validator.initialize();
  let judged = 0;
  for (const line of fs.readFileSync(log, "utf8").split("\n").filter(Boolean)) {
    const told = JSON.parse(line);
    const isOfDocument = told.target.includes("/Microsoft.Compute/") && !told.target.includes("/operations/");
    if (!isOfDocument) continue;
    const target = told.target.replace(/api-version=([0-9-]+)/, (all, version) => "api-version=" + (versions[version] || version));
    const result = await validator.validateLiveRequestResponse({
      liveRequest: {
        method: told.method,
        url: "https://management.azure.com" + target,
        headers: told.headers,
        body: parsed(told.body),
      },
      liveResponse: { statusCode: String(told.status), headers: told.answerHeaders, body: parsed(told.answer) },
    });
    const sides = told.status < 400 ? ["request", "response"] : ["request"];
    for (const side of sides) {
      const of = result[side + "ValidationResult"];
      const errors = of.runtimeException ? [of.runtimeException] : of.errors;
      for (const each of errors) {
        console.log(`${told.method} ${target} ${side}: ${each.code} ${each.message} ${each.pathsInPayload || ""}`);
      }
    }
    judged++;
  }
  console.log(`judged ${judged}`);
})().catch((failure) => {
  console.log(String(failure && failure.stack));
  process.exitCode = 1;
});
