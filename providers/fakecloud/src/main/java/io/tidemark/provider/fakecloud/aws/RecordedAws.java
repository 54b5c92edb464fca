package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.util.List;

/** Exchanges that were recorded, with Amazon or with the fake, judged by the published models. */
public final class RecordedAws {
    private RecordedAws() {}

    /** What the models find wrong; empty where nothing is. Only where {@link ServiceModel#available}. */
    public static List<String> violations(HttpRequest request, HttpAnswer answer) {
        var calls = new CloudCalls();
        var models = AwsModels.present();
        EbsCall direct = EbsCall.of(request);
        if (direct != null) {
            models.request(calls, direct);
            models.ebsAnswer(calls, direct.operation(), answer);
        } else {
            var form = request.formFields();
            models.request(calls, form.getOrDefault("Action", ""), form);
            models.ec2Answer(calls, form.getOrDefault("Action", ""), answer);
        }
        return calls.violations();
    }
}
