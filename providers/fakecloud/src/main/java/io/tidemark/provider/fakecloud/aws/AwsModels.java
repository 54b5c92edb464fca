package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Both models, read once a process, where they are at hand; else nothing is checked and nothing counted as checked. */
final class AwsModels {
    private final @Nullable Ec2ModelCheck ec2;
    private final @Nullable EbsModelCheck ebs;

    /** Reading takes a tenth of a second, and tests start many accounts. */
    private static final class Once {
        static final AwsModels MODELS = ServiceModel.available()
                ? new AwsModels(new Ec2ModelCheck(ServiceModel.ec2()), new EbsModelCheck(ServiceModel.ebs()))
                : new AwsModels(null, null);
    }

    private AwsModels(@Nullable Ec2ModelCheck ec2, @Nullable EbsModelCheck ebs) {
        this.ec2 = ec2;
        this.ebs = ebs;
    }

    static AwsModels present() {
        return Once.MODELS;
    }

    void request(CloudCalls calls, EbsCall call) {
        if (ebs != null) {
            requestFound(calls, call.operation(), ebs.request(call.operation(), call.request()));
        }
    }

    void request(CloudCalls calls, String action, Map<String, String> form) {
        if (ec2 != null) {
            requestFound(calls, action, ec2.request(form));
        }
    }

    void ebsAnswer(CloudCalls calls, String operation, HttpAnswer answer) {
        if (ebs != null) {
            answerFound(calls, operation, ebs.answer(operation, answer));
        }
    }

    void ec2Answer(CloudCalls calls, String action, HttpAnswer answer) {
        if (ec2 != null) {
            answerFound(calls, action, ec2.answer(action, answer.status, answer.body));
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
