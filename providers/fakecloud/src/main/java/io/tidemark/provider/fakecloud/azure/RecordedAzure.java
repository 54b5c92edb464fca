package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** Exchanges that were recorded, with Azure or with the fake, judged by the published models. */
public final class RecordedAzure {
    private RecordedAzure() {}

    /** What the models find wrong; empty where nothing is. Only where {@link AzureModels#available}. */
    public static List<String> violations(HttpRequest request, HttpAnswer answer) {
        var calls = new CloudCalls();
        var models = Objects.requireNonNull(AzureModels.present(), "no published models");
        var sent = AzureModels.json(new String(request.body, StandardCharsets.UTF_8));
        var call = ArmCall.of(request, sent);
        if (call == null) {
            var operation = PageBlobs.operation(request);
            models.blobRequest(calls, operation, request);
            models.blobAnswer(calls, operation, answer);
        } else {
            models.request(calls, call);
            models.answer(calls, call.operation(), answer);
        }
        return calls.violations();
    }
}
