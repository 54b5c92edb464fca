package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.PublishedModels;
import io.tidemark.provider.fakecloud.azure.ShapeCheck.Rules;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What Azure publishes of its services, read once a process where it is at hand: Swagger of the disks, the restore
 * points and the page blobs, and the schemas of ARM's templates. Else nothing is checked, and nothing counted as
 * checked.
 */
public final class AzureModels {
    private static final String SPECIFICATION = Specification.FOLDER + "specification/";
    private static final String COMPUTE = SPECIFICATION + "compute/resource-manager/Microsoft.Compute/";
    private static final String DISK = COMPUTE + "DiskRP/stable/2023-10-02/";
    private static final String MACHINE = COMPUTE + "ComputeRP/stable/2024-03-01/";
    private static final String BLOB =
            SPECIFICATION + "storage/data-plane/Microsoft.BlobStorage/stable/2024-08-04/blob.json";
    private static final String COMMON = SPECIFICATION + "common-types/resource-management/v3/types.json";
    private static final String TEMPLATES = Specification.FOLDER + "arm-schemas/Microsoft.Compute.2025-01-02.json";
    /** What a signature adds to an address. */
    private static final Set<String> SIGNATURE = Set.of("sv", "sr", "si", "sig", "se", "st", "sp", "sk", "spr");

    private static final List<String> FILES = List.of(
            DISK + "disk.json",
            DISK + "snapshot.json",
            DISK + "diskRestorePoint.json",
            MACHINE + "restorePoint.json",
            MACHINE + "virtualMachine.json",
            BLOB,
            COMMON,
            TEMPLATES);
    private static final Map<String, String> TEMPLATE_OF =
            Map.of("Snapshots_CreateOrUpdate", "snapshots", "Disks_CreateOrUpdate", "disks");
    private static final Pattern PAGE_LIST = Pattern.compile("<\\?xml[^>]*\\?><PageList>"
            + "(<(PageRange|ClearRange)><Start>[0-9]+</Start><End>[0-9]+</End></\\2>)*+"
            + "(<NextMarker>[^<]*</NextMarker>)?</PageList>");

    private final Specification specification = new Specification();
    private final SwaggerModel disks;
    private final SwaggerModel machines;
    private final SwaggerModel blobs;

    /** Reading takes a while, and tests start many accounts. */
    private static final class Once {
        static final @Nullable AzureModels MODELS = available() ? new AzureModels() : null;
    }

    private AzureModels() {
        disks = new SwaggerModel(specification, FILES.subList(0, 3), Set.of("2023-10-02", "2025-01-02"));
        machines = new SwaggerModel(specification, FILES.subList(3, 5), Set.of("2024-03-01", "2025-04-01"));
        blobs = new SwaggerModel(specification, List.of(BLOB), Set.of("2024-08-04", "2021-12-02"));
    }

    /** Whether the models are at hand. */
    public static boolean available() {
        return PublishedModels.available(FILES.toArray(String[]::new));
    }

    static @Nullable AzureModels present() {
        return Once.MODELS;
    }

    void request(CloudCalls calls, ArmCall call) {
        var operation = call.operation();
        var findings = new ArrayList<String>();
        if (operation.equals(ArmCall.PERMISSIONS)) {
            findings.addAll(ArmRights.request(call.request()));
        } else if (!operation.equals(ArmCall.OPERATION_STATUS)) {
            var query = new HashMap<>(call.request().queryFields());
            query.remove(ArmPages.SKIP);
            findings.addAll(
                    model(operation).request(operation, call.names(), query, call.request().headers, call.sent()));
        }
        var template = TEMPLATE_OF.get(operation);
        if (template != null && call.sent() != null) {
            var schema = specification.document(TEMPLATES);
            new ShapeCheck(specification, Rules.TEMPLATE, findings)
                    .check(
                            schema.child(
                                    schema.node().path("resourceDefinitions").path(template)),
                            wrapped(call, template),
                            "");
        }
        requestFound(calls, operation, findings);
    }

    /** As it would stand in a template. */
    private static JsonNode wrapped(ArmCall call, String type) {
        var body = ArmAnswers.object();
        body.setAll(call.sent() instanceof com.fasterxml.jackson.databind.node.ObjectNode sent ? sent : body);
        return body.put("name", "name").put("type", "Microsoft.Compute/" + type).put("apiVersion", "2025-01-02");
    }

    private SwaggerModel model(String operation) {
        return machines.knows(operation) ? machines : disks;
    }

    void answer(CloudCalls calls, String operation, HttpAnswer answer) {
        var findings = new ArrayList<String>();
        var body = json(answer.body);
        if (operation.equals(ArmCall.OPERATION_STATUS)) {
            // No document of these operations is published; their form is ARM's common one.
            if (answer.status == 200 && body != null && body.has("status")) {
                var common = specification.document(COMMON);
                new ShapeCheck(specification, Rules.ANSWER, findings)
                        .check(common.child(common.node().at("/definitions/OperationStatusResult")), body, "body");
            }
        } else if (operation.equals(ArmCall.PERMISSIONS)) {
            findings.addAll(ArmRights.answer(answer.status, body));
        } else {
            findings.addAll(model(operation).answer(operation, answer, body));
        }
        answerFound(calls, operation, findings);
    }

    void blobRequest(CloudCalls calls, String operation, HttpRequest request) {
        var query = new HashMap<>(request.queryFields());
        query.keySet().removeAll(SIGNATURE);
        var words = request.path.split("/", -1);
        var names = Map.of("containerName", words[1], "blob", words[2]);
        var findings = new ArrayList<>(blobs.request(operation, names, query, request.headers, null));
        if (request.body.length > 0) {
            // It is bytes, which the check of JSON does not see.
            findings.remove("body is missing");
        }
        requestFound(calls, operation, findings);
    }

    void blobAnswer(CloudCalls calls, String operation, HttpAnswer answer) {
        var findings = new ArrayList<>(blobs.answer(operation, answer, null));
        if (operation.startsWith("PageBlob_Get") && answer.status == 200) {
            var text = new String(answer.body, StandardCharsets.UTF_8);
            if (!PAGE_LIST.matcher(text).matches()) {
                findings.add("no list of pages: " + text.substring(0, Math.min(200, text.length())));
            }
        }
        answerFound(calls, operation, findings);
    }

    private static @Nullable JsonNode json(byte[] body) {
        return json(new String(body, StandardCharsets.UTF_8));
    }

    static @Nullable JsonNode json(String text) {
        try {
            return text.isBlank() ? null : ArmAnswers.JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private static void requestFound(CloudCalls calls, String operation, List<String> findings) {
        calls.count(operation, new CallCount(0, 1, 0));
        calls.violated(operation, "request", findings);
    }

    private static void answerFound(CloudCalls calls, String operation, List<String> findings) {
        calls.count(operation, new CallCount(0, 0, 1));
        calls.violated(operation, "answer", findings);
    }
}
