package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** EC2 of one region: which operation a form asks for, and its answer in XML. */
final class Ec2Api {
    private static final String NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/";
    private static final String PROLOGUE = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    private static final String TYPE = "text/xml;charset=UTF-8";
    private static final String REQUEST_ID = "00000000-0000-4000-8000-000000000000";

    private final AwsRegion region;
    private final Map<String, Ec2Operation> operations = new TreeMap<>();
    private final Set<String> denied = ConcurrentHashMap.newKeySet();

    Ec2Api(AwsRegion region, Function<String, @Nullable AwsRegion> regions) {
        this.region = region;
        var pages = new Ec2Pages();
        new Ec2Snapshots(region, regions, pages).register(operations);
        new Ec2Volumes(region, pages).register(operations);
        new Ec2Tags(region).register(operations);
        new Ec2Protection(region, pages).register(operations);
        new Ec2Tiers(region, pages).register(operations);
    }

    @Nullable
    CallKind kind(String action) {
        Ec2Operation operation = operations.get(action);
        return operation == null ? null : operation.kind();
    }

    void deny(String action) {
        denied.add(action);
    }

    void allow(String action) {
        denied.remove(action);
    }

    HttpAnswer answer(String action, Map<String, String> form, Fault fault, FaultScript script) {
        Ec2Operation operation = operations.get(action);
        if (operation == null) {
            return error(400, "InvalidAction", "The action %s is not valid for this web service.".formatted(action));
        }
        if (denied.contains(action)) {
            return error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
        }
        if (Boolean.parseBoolean(form.get("DryRun"))) {
            return error(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
        }
        var xml = new Xml();
        region.lock.lock();
        try {
            operation.body().answer(new Ec2Call(action, form, fault, script, region.now()), xml);
        } catch (Ec2Exception e) {
            return error(e.status, e.code, e.text());
        } finally {
            region.lock.unlock();
        }
        String body = "<%1$sResponse xmlns=\"%2$s\"><requestId>%3$s</requestId>%4$s</%1$sResponse>"
                .formatted(action, NAMESPACE, REQUEST_ID, xml);
        return HttpAnswer.text(200, TYPE, Map.of(), PROLOGUE + body);
    }

    /** An answer that is an error, in EC2's own form. */
    static HttpAnswer error(int status, String code, String message) {
        var xml = new Xml()
                .open("Response")
                .open("Errors")
                .open("Error")
                .value("Code", code)
                .value("Message", message)
                .close("Error")
                .close("Errors")
                .value("RequestID", REQUEST_ID)
                .close("Response");
        return HttpAnswer.text(status, TYPE, Map.of(), PROLOGUE + xml);
    }
}
