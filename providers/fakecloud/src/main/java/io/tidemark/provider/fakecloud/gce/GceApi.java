package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.gce.GceCall.Fate;
import java.util.List;
import java.util.Map;

/** Finds what a call is about and does it, under the lock of the account. */
final class GceApi {
    private final GceAccount account;
    private final GcePages pages;
    private final GceInserts inserts;
    private final GceReplication replication;

    GceApi(GceAccount account) {
        this.account = account;
        this.pages = new GcePages(account);
        this.inserts = new GceInserts(account);
        this.replication = new GceReplication(account);
    }

    HttpAnswer answer(GceCall call, Fate fate) {
        return account.locked(() -> {
            try {
                GcePermissions.require(call, account.denied);
                return HttpAnswer.text(
                        200,
                        "application/json; charset=UTF-8",
                        Map.of(),
                        json(call, fate).toString());
            } catch (GceException refused) {
                return refused.answer();
            }
        });
    }

    private ObjectNode json(GceCall call, Fate fate) throws GceException {
        if (!call.project().equals(account.settings.project())) {
            throw GceException.notFound("projects/" + call.project());
        }
        return switch (call.verb()) {
            case "list" -> pages.list(call, fate.fault());
            case "aggregatedList" -> pages.aggregated(call, fate.fault());
            case "get", "wait" -> seen(call).json(account.now());
            case "testIamPermissions" -> permissions(call);
            default -> changed(call, fate).json(account.now());
        };
    }

    /** What is hidden is not there for who asks by name either. */
    private GceResource seen(GceCall call) throws GceException {
        GceResource found = account.find(call.path());
        if (found == null) {
            throw GceException.notFound(call.path());
        }
        if (found.hidden > 0) {
            found.hidden--;
            throw GceException.notFound(call.path());
        }
        return found;
    }

    private ObjectNode permissions(GceCall call) throws GceException {
        seen(call);
        var json = JsonNodeFactory.instance.objectNode();
        for (JsonNode each : call.body().path("permissions")) {
            if (!account.denied.contains(each.asText())) {
                json.withArrayProperty("permissions").add(each.asText());
            }
        }
        return json;
    }

    private GceOperation changed(GceCall call, Fate fate) throws GceException {
        String requestId = call.query().getOrDefault("requestId", "");
        String question = call.operation() + " " + call.path() + " " + call.text("name");
        GceOperation before = account.asked(requestId, question);
        if (before != null) {
            return before;
        }
        GceOperation begun = call.kind() == CallKind.CREATE ? inserts.insert(call, fate) : change(call);
        account.answered(requestId, question, begun);
        return begun;
    }

    private GceOperation change(GceCall call) throws GceException {
        if (call.operation().endsWith("isks.stopGroupAsyncReplication")) {
            replication.stopGroup(call.location(), call.text("resourcePolicy"));
            return done(call, "stopGroupAsyncReplication", account.pathOf(call.text("resourcePolicy")), 0);
        }
        GceResource found = seen(call);
        String error = account.plannedError(call.operation());
        if (!error.isEmpty()) {
            return ended(call, call.verb(), found.path(), found.id, error);
        }
        switch (call.verb()) {
            case "delete" -> delete(found);
            case "setLabels" -> {
                if (!found.labelFingerprint().equals(call.text("labelFingerprint"))) {
                    throw new GceException(
                            412,
                            "conditionNotMet",
                            "Labels fingerprint either invalid or resource labels have changed");
                }
                found.setLabels(GceResource.texts(call.body().path("labels")));
            }
            case "attachDisk", "detachDisk" -> ofInstance(call, found);
            default -> ofDisk(call, account.disk(found.path()));
        }
        return done(call, call.verb(), found.path(), found.id);
    }

    private GceOperation done(GceCall call, String verb, String target, long targetId) {
        return ended(call, verb, target, targetId, "");
    }

    private GceOperation ended(GceCall call, String verb, String target, long targetId, String error) {
        var doneAt = account.now().plus(account.settings.operations());
        return account.operation(call.location(), new GceOperation.Work(verb, target, targetId, doneAt, error));
    }

    private void ofInstance(GceCall call, GceResource found) throws GceException {
        if (!(found instanceof FakeInstance instance)) {
            throw GceException.notFound(found.path());
        }
        if (call.verb().equals("attachDisk")) {
            var disk = account.disk(call.text("source"));
            instance.attach(call.text("deviceName"), call.text("mode"), disk, account.now());
        } else {
            var disk = account.disk(instance.detach(call.query().getOrDefault("deviceName", "")));
            disk.users.remove(instance.path());
        }
    }

    private void ofDisk(GceCall call, FakeDisk disk) throws GceException {
        switch (call.verb()) {
            case "startAsyncReplication" -> replication.start(disk, call.text("asyncSecondaryDisk"));
            case "stopAsyncReplication" -> replication.stop(disk);
            case "addResourcePolicies" ->
                call.body().path("resourcePolicies").forEach(each -> disk.policies.add(account.pathOf(each.asText())));
            case "removeResourcePolicies" ->
                call.body()
                        .path("resourcePolicies")
                        .forEach(each -> disk.policies.remove(account.pathOf(each.asText())));
            default -> throw new GceException(501, "notImplemented", "the fake has no " + call.operation());
        }
    }

    private void delete(GceResource found) throws GceException {
        switch (found) {
            case FakeDisk disk -> delete(disk);
            case FakeGceSnapshot snapshot -> delete(snapshot);
            case GcePlain plain -> delete(plain);
            default -> account.remove(found);
        }
    }

    /** Its instant snapshots die with it ("About instant snapshots"). */
    private void delete(FakeDisk disk) throws GceException {
        if (!disk.users.isEmpty()) {
            throw GceException.inUse(disk.path(), disk.users.getFirst());
        }
        disk.refuseWhileReplicatedTo();
        for (var each : List.copyOf(account.all("instantSnapshots").values())) {
            if (each instanceof FakeGceSnapshot instant && instant.sourceDisk.equals(disk.path())) {
                account.remove(instant);
            }
        }
        account.remove(disk);
    }

    private void delete(FakeGceSnapshot snapshot) throws GceException {
        if (snapshot.status(account.now()).equals("CREATING")) {
            throw GceException.notReady(snapshot.path());
        }
        for (var each : account.all("snapshots").values()) {
            if (snapshot.isInstant()
                    && each instanceof FakeGceSnapshot other
                    && other.sourceInstantSnapshot.equals(snapshot.path())
                    && other.status(account.now()).equals("UPLOADING")) {
                throw GceException.inUse(snapshot.path(), other.path());
            }
        }
        account.remove(snapshot);
    }

    private void delete(GcePlain plain) throws GceException {
        boolean isGroup = plain.collection.equals("instantSnapshotGroups");
        if (isGroup && account.settings.groupTakesMembers()) {
            for (var each : List.copyOf(account.all("instantSnapshots").values())) {
                if (each instanceof FakeGceSnapshot member && member.group.equals(plain.path())) {
                    delete(member);
                }
            }
        }
        account.remove(plain);
    }
}
