package io.tidemark.provider.fakecloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One region's port: finds the operation, lets the model check it, lets faults befall it. */
final class AwsEndpoint {
    private final Ec2Api ec2;
    private final EbsDirect ebs;
    private final AwsCalls calls;
    private final AwsModels models = AwsModels.present();
    private final HttpServer server;

    /** What one service has to say to a call. */
    private record Service(
            String operation,
            CallKind kind,
            Effect effect,
            Consumer<HttpAnswer> check,
            Supplier<HttpAnswer> throttled,
            Supplier<HttpAnswer> broken) {}

    /** Takes effect and answers. */
    private interface Effect {
        HttpAnswer answer(Fault fault, FaultScript script);
    }

    AwsEndpoint(AwsRegion region, Function<String, @Nullable AwsRegion> regions, AwsCalls calls) throws IOException {
        this.ec2 = new Ec2Api(region, regions);
        this.ebs = new EbsDirect(region);
        this.calls = calls;
        this.server = new HttpServer(this::answerOrConfess, calls::current);
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

    /** A defect of the fake, or of a script, must fail the test and not look like a fault of the cloud. */
    private HttpAnswer answerOrConfess(HttpRequest request) {
        try {
            return answer(request);
        } catch (RuntimeException defect) {
            calls.violated(request.method + " " + request.path, "fake", List.of("defect: " + defect));
            throw defect;
        }
    }

    private HttpAnswer answer(HttpRequest request) {
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
        var service = new Service(
                call.operation(),
                call.kind(),
                (fault, script) -> ebs.answer(call, fault, script),
                answer -> models.ebsAnswer(calls, call.operation(), answer),
                () -> EbsDirect.error(
                        400, "RequestThrottledException", "RESOURCE_LEVEL_THROTTLE", "Request rate is too high."),
                () -> EbsDirect.error(500, "InternalServerException", null, "An internal error has occurred."));
        return played(number, service);
    }

    private HttpAnswer answerEc2(long number, Map<String, String> form) {
        String action = form.getOrDefault("Action", "");
        calls.count(action, new CallCount(1, 0, 0));
        models.request(calls, action, form);
        CallKind kind = ec2.kind(action);
        var service = new Service(
                action,
                kind == null ? CallKind.READ : kind,
                (fault, script) -> ec2.answer(action, form, fault, script),
                answer -> models.ec2Answer(calls, action, answer),
                () -> Ec2Api.error(503, "RequestLimitExceeded", "Request limit exceeded."),
                () -> Ec2Api.error(500, "InternalError", "An internal error has occurred"));
        return played(number, service);
    }

    private HttpAnswer played(long number, Service service) {
        FaultScript script = calls.script();
        Fault fault = script.next(service.operation(), service.kind());
        HttpAnswer answer = switch (fault) {
            case THROTTLE -> service.throttled().get();
            case ERROR_BEFORE -> service.broken().get();
            case CUT_BEFORE -> HttpAnswer.CUT;
            default -> service.effect().answer(fault, script);
        };
        try {
            calls.hook().accept(number);
        } catch (RuntimeException killed) {
            return HttpAnswer.CUT;
        }
        HttpAnswer said = switch (fault) {
            case ERROR_AFTER -> service.broken().get();
            case CUT_AFTER -> HttpAnswer.CUT;
            default -> answer;
        };
        if (!said.cut()) {
            service.check().accept(said);
        }
        return said;
    }

    void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing a fake region", e);
        }
    }
}
