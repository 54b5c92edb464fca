package io.tidemark.provider.fakecloud.gce;

import io.tidemark.provider.fakecloud.CallCount;
import io.tidemark.provider.fakecloud.CloudCalls;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Finding;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Severity;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The document, read once a process, where it is at hand; else nothing is checked and nothing counted as checked. */
final class GceModels {
    private final @Nullable DiscoveryCheck check;

    /** Reading takes a tenth of a second, and tests start many accounts. */
    private static final class Once {
        static final GceModels MODELS =
                new GceModels(DiscoveryModel.available() ? new DiscoveryCheck(DiscoveryModel.v1()) : null);
    }

    private GceModels(@Nullable DiscoveryCheck check) {
        this.check = check;
    }

    static GceModels present() {
        return Once.MODELS;
    }

    void request(CloudCalls calls, AtomicLong warnings, String operation, HttpRequest request) {
        if (check != null) {
            var found = check.request(known(operation, request));
            calls.count(operation, new CallCount(0, 1, 0));
            warnings.addAndGet(of(found, Severity.WARNING).size());
            calls.violated(operation, "request", of(found, Severity.ERROR));
        }
    }

    void answer(CloudCalls calls, String operation, HttpAnswer answer) {
        if (check != null) {
            calls.count(operation, new CallCount(0, 0, 1));
            calls.violated(operation, "answer", of(check.answer(known(operation), answer), Severity.ERROR));
        }
    }

    /**
     * The part of the document that we have leaves out that an instance can be asked so; what is asked and answered is
     * of the same two kinds as of a disk.
     */
    private static String known(String operation) {
        return operation.equals("instances.testIamPermissions") ? "disks.testIamPermissions" : operation;
    }

    private static HttpRequest known(String operation, HttpRequest request) {
        return known(operation).equals(operation)
                ? request
                : new HttpRequest(
                        request.method, request.path.replace("/instances/", "/disks/"), request.headers, request.body);
    }

    private static List<String> of(List<Finding> found, Severity severity) {
        return found.stream()
                .filter(each -> each.severity() == severity)
                .map(Finding::text)
                .toList();
    }
}
