package io.tidemark.provider.fakecloud.gce;

import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Exchanges that were recorded, with Google or with the fake, judged by the discovery document. */
public final class RecordedGce {
    private RecordedGce() {}

    /** What the document finds wrong; empty where nothing is. Only where {@link DiscoveryModel#available}. */
    public static List<String> violations(HttpRequest request, HttpAnswer answer) {
        var calls = new CloudCalls();
        GceCall call = GceCall.of(request);
        if (call == null) {
            return List.of(request.method + " " + request.path + " is no operation");
        }
        var models = GceModels.present();
        models.request(calls, new AtomicLong(), call.operation(), request);
        models.answer(calls, call.operation(), answer);
        return calls.violations();
    }
}
