package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One port for Resource Manager and for the blobs: finds the operation, lets the models check it, lets faults befall
 * it.
 */
final class AzureEndpoint {
    private final AzureState state;
    private final CloudCalls calls;
    private final ArmAnswers answers;
    private final ArmSnapshots snapshots;
    private final ArmDisks disks;
    private final ArmPoints points;
    private final ArmAccess access;
    private final PageBlobs blobs;
    private final @Nullable AzureModels models = AzureModels.present();
    private final ArmRights rights = new ArmRights();
    private final Set<String> denied = ConcurrentHashMap.newKeySet();

    AzureEndpoint(AzureState state, CloudCalls calls) {
        this.state = state;
        this.calls = calls;
        answers = new ArmAnswers(state);
        snapshots = new ArmSnapshots(state, answers);
        disks = new ArmDisks(state, answers);
        points = new ArmPoints(state, answers);
        access = new ArmAccess(state, answers, snapshots, disks, points);
        blobs = new PageBlobs(state);
    }

    ArmDisks disks() {
        return disks;
    }

    void deny(String operation) {
        denied.add(operation);
    }

    void allow(String operation) {
        denied.remove(operation);
    }

    void takeAway(String right) {
        rights.takeAway(right);
    }

    HttpAnswer answer(HttpRequest request) {
        long number = calls.next();
        if (PageBlobs.isOne(request)) {
            return blob(number, request);
        }
        var call = ArmCall.of(request, AzureModels.json(new String(request.body, StandardCharsets.UTF_8)));
        if (call == null) {
            calls.violated(request.method + " " + request.path, "request", List.of("is no operation"));
            return ArmAnswers.error(404, "InvalidResourceType", "There is no such operation.", Map.of());
        }
        calls.count(call.operation(), new CallCount(1, 0, 0));
        if (models != null) {
            models.request(calls, call);
        }
        return calls.played(
                number,
                new CloudCalls.Played(
                        call.operation(),
                        call.kind(),
                        (fault, script) -> arm(call, fault, script),
                        answer -> {
                            if (models != null) {
                                models.answer(calls, call.operation(), answer);
                            }
                        },
                        this::throttled,
                        () -> ArmAnswers.error(500, "InternalServerError", "An internal error occurred.", Map.of())));
    }

    private HttpAnswer throttled() {
        state.lock.lock();
        try {
            return answers.throttled();
        } finally {
            state.lock.unlock();
        }
    }

    private HttpAnswer arm(ArmCall asked, Fault fault, FaultScript script) {
        if (denied.contains(asked.operation()) || rights.lacks(asked.operation())) {
            return ArmAnswers.error(
                    403,
                    "AuthorizationFailed",
                    "The client does not have authorization to perform action '%s'.".formatted(asked.operation()),
                    Map.of());
        }
        state.lock.lock();
        try {
            if (state.now().isBefore(state.throttledUntil)) {
                state.early++;
                return answers.throttled();
            }
            return answered(asked.befallen(fault, script));
        } catch (ArmException e) {
            return ArmAnswers.error(e.status, e.code, e.text(), Map.of());
        } finally {
            state.lock.unlock();
        }
    }

    private HttpAnswer answered(ArmCall call) throws ArmException {
        var operation = call.operation();
        if (operation.equals(ArmCall.OPERATION_STATUS)) {
            return answers.status(call);
        }
        if (operation.equals(ArmCall.PERMISSIONS)) {
            return rights.answer();
        }
        if (operation.equals("VirtualMachines_Get")) {
            return disks.machine(call);
        }
        if (operation.endsWith("Access")) {
            return access.answer(call);
        }
        if (operation.startsWith("Snapshots_")) {
            return snapshots.answer(call);
        }
        return operation.startsWith("Disks_") ? disks.answer(call) : points.answer(call);
    }

    private HttpAnswer blob(long number, HttpRequest request) {
        var operation = PageBlobs.operation(request);
        calls.count(operation, new CallCount(1, 0, 0));
        if (models != null) {
            models.blobRequest(calls, operation, request);
        }
        return calls.played(
                number,
                new CloudCalls.Played(
                        operation,
                        PageBlobs.kind(operation),
                        (fault, script) -> blobs.answer(operation, request, fault),
                        answer -> {
                            if (models != null) {
                                models.blobAnswer(calls, operation, answer);
                            }
                        },
                        () -> PageBlobs.error(503, "ServerBusy"),
                        () -> PageBlobs.error(500, "InternalError")));
    }
}
