package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One region's port: finds the operation, lets the model check it, lets faults befall it. */
final class AwsEndpoint {
    private final Ec2Api ec2;
    private final EbsDirect ebs;
    private final CloudCalls calls;
    private final AwsModels models = AwsModels.present();
    private final Function<HttpRequest, HttpAnswer> handler;
    private final HttpServer server;

    AwsEndpoint(AwsRegion region, Function<String, @Nullable AwsRegion> regions, CloudCalls calls) throws IOException {
        this.ec2 = new Ec2Api(region, regions);
        this.ebs = new EbsDirect(region);
        this.calls = calls;
        this.handler = calls.confessing(this::answered);
        this.server = new HttpServer(handler, calls::current);
    }

    URI address() {
        return server.address();
    }

    void deny(String operation) {
        ec2.deny(operation);
        ebs.deny(operation);
    }

    void allow(String operation) {
        ec2.allow(operation);
        ebs.allow(operation);
    }

    /** As the port answers, without a connection. */
    HttpAnswer answer(HttpRequest request) {
        return handler.apply(request);
    }

    private HttpAnswer answered(HttpRequest request) {
        long number = calls.next();
        EbsCall direct = EbsCall.of(request);
        if (direct != null) {
            return answer(number, direct);
        }
        if (!request.method.equals("POST") || !request.path.equals("/")) {
            calls.violated(request.method + " " + request.path, "request", List.of("is no operation"));
            return EbsDirect.error(404, "UnknownOperationException", null, "no such operation");
        }
        Map<String, String> form = request.formFields();
        return answerEc2(number, form);
    }

    private HttpAnswer answer(long number, EbsCall call) {
        calls.count(call.operation(), new CallCount(1, 0, 0));
        models.request(calls, call);
        var service = new CloudCalls.Played(
                call.operation(),
                call.kind(),
                (fault, script) -> ebs.answer(call, fault, script),
                answer -> models.ebsAnswer(calls, call.operation(), answer),
                () -> EbsDirect.error(
                        400, "RequestThrottledException", "RESOURCE_LEVEL_THROTTLE", "Request rate is too high."),
                () -> EbsDirect.error(500, "InternalServerException", null, "An internal error has occurred."));
        return calls.played(number, service);
    }

    private HttpAnswer answerEc2(long number, Map<String, String> form) {
        String action = form.getOrDefault("Action", "");
        calls.count(action, new CallCount(1, 0, 0));
        models.request(calls, action, form);
        CallKind kind = ec2.kind(action);
        var service = new CloudCalls.Played(
                action,
                kind == null ? CallKind.READ : kind,
                (fault, script) -> ec2.answer(action, form, fault, script),
                answer -> models.ec2Answer(calls, action, answer),
                () -> Ec2Api.error(503, "RequestLimitExceeded", "Request limit exceeded."),
                () -> Ec2Api.error(500, "InternalError", "An internal error has occurred"));
        return calls.played(number, service);
    }

    void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing a fake region", e);
        }
    }
}
