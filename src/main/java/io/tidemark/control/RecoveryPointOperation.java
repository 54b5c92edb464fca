package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.GroupStore;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a recovery point and records it. All or nothing: until it is recorded, whatever ends the operation deletes its
 * snapshots by the id they carry; once recorded it stands.
 */
final class RecoveryPointOperation implements OperationKind {
    static final String KIND = "recovery-point";
    private static final Logger log = LoggerFactory.getLogger(RecoveryPointOperation.class);

    private final GroupStore groups;
    private final RecoveryPointStore points;
    private final RecoveryPointTaker taker;
    private final Observer observer;
    private final Moments moments;

    RecoveryPointOperation(ControlPorts ports) {
        this.groups = ports.stores().groups();
        this.points = ports.stores().recoveryPoints();
        this.taker = ports.agents().taker();
        this.observer = ports.observer();
        this.moments = ports.moments();
    }

    @Override
    public String name() {
        return KIND;
    }

    private static RecoveryPointId id(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    /** The request of a recovery point of the group as it is now. */
    static ObjectNode request(ConsistencyGroup group, RecoveryPointId id) {
        var request = Json.object().put("group", group.id().value()).put("recoveryPoint", id.value());
        var volumes = request.putArray("volumes");
        group.volumes().forEach(volume -> volumes.add(volume.value()));
        return request;
    }

    /** Those of the group when it was asked for. */
    private static Set<String> volumes(ObjectNode request) {
        var volumes = new TreeSet<String>();
        request.path("volumes").forEach(volume -> volumes.add(volume.textValue()));
        return volumes;
    }

    /** Its volumes: two freezes of one file system would stand in each other's way. */
    @Override
    public List<Claim> claims(ObjectNode request) {
        return volumes(request).stream().map(VolumeId::new).map(Claim::alone).toList();
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var id = id(request);
        var group = group(request);
        var plan = taker.plan(id, group);
        running.step("planned");
        boolean recorded = false;
        try {
            var point = taker.take(plan, running);
            running.step("taken");
            points.add(point);
            recorded = true;
            moments.reached(Moment.RECOVERY_POINT_RECORDED);
            observer.recoveryPointTaken(point);
            log.info(
                    "recovery_point.recorded recoveryPoint={} group={} consistency={} members={}",
                    id,
                    group.id(),
                    point.consistency(),
                    point.members().size());
            return result(point);
        } finally {
            if (!recorded) {
                undoQuietly(id);
            }
        }
    }

    private void undoQuietly(RecoveryPointId id) {
        try {
            taker.undo(id);
        } catch (ConsistencyException failure) {
            log.warn("recovery_point.undo_failed recoveryPoint={} the next start tries again", id, failure);
        }
    }

    /** Refused when its volumes are no longer those that are claimed. */
    private ConsistencyGroup group(ObjectNode request) throws ControlException {
        var id = new GroupId(Json.text(request, "group"));
        var group =
                groups.find(id).orElseThrow(() -> new ControlException(new ControlError.NotFound("group", id.value())));
        var now = group.volumes().stream().map(VolumeId::value).collect(Collectors.toSet());
        if (!now.equals(volumes(request))) {
            throw new ControlException(new ControlError.Invalid(
                    "group",
                    id.value(),
                    "was given other volumes while the operation waited",
                    "ask again for a recovery point of " + now));
        }
        return group;
    }

    private static ObjectNode result(RecoveryPoint point) {
        var result = Json.object();
        result.set("recoveryPoint", Documents.recoveryPoint(point));
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) throws Exception {
        var id = id(request);
        var recorded = points.find(id);
        if (recorded.isPresent()) {
            return new Resumption.Finished(result(recorded.orElseThrow()));
        }
        taker.undo(id);
        return new Resumption.Undone();
    }
}
