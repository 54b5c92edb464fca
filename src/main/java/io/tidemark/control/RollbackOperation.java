package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.util.ArrayList;
import java.util.List;

/**
 * Rolls the members back, one after the other; each alone is atomic. A crash between two is finished by the restart,
 * which goes on behind the last member that was written down as rolled back, and so keeps what was written to those
 * since. The one that was in work may be rolled back twice.
 */
final class RollbackOperation implements OperationKind {
    static final String KIND = "rollback";

    /** Step after a member, followed by how many are rolled back, in the order of the recovery point. */
    private static final String ROLLED_BACK = "rolled-back-";

    private final RecoveryPointStore points;
    private final Providers providers;

    RollbackOperation(RecoveryPointStore points, Providers providers) {
        this.points = points;
        this.providers = providers;
    }

    @Override
    public String name() {
        return KIND;
    }

    private static RecoveryPointId id(ObjectNode request) {
        return new RecoveryPointId(Json.text(request, "recoveryPoint"));
    }

    @Override
    public List<Claim> claims(ObjectNode request) {
        var claims = new ArrayList<Claim>();
        claims.add(Claim.shared(id(request)));
        points.find(id(request)).stream()
                .flatMap(point -> point.members().stream())
                .map(RecoveryPoint.Member::volume)
                .distinct()
                .map(Claim::alone)
                .forEach(claims::add);
        return claims;
    }

    private static int rolledBack(Operation operation) {
        return operation.step().startsWith(ROLLED_BACK)
                ? Integer.parseInt(operation.step().substring(ROLLED_BACK.length()))
                : 0;
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var id = id(request);
        var point = points.find(id)
                .orElseThrow(() -> new ControlException(new ControlError.NotFound("recovery point", id.value())));
        var result = Json.object().put("recoveryPoint", id.value());
        var volumes = result.putArray("volumes");
        int done = rolledBack(running.operation());
        int number = 0;
        for (var member : point.members()) {
            var provider = providers.of(member.snapshot().volume());
            number++;
            if (number <= done) {
                volumes.add(Documents.volume(provider.volume(member.volume())));
                continue;
            }
            var volume = StepRunner.finish(
                    provider,
                    provider.rollback(member.snapshot()),
                    Volume.class,
                    "rollback " + member.volume(),
                    running);
            running.step(ROLLED_BACK + number);
            volumes.add(Documents.volume(volume));
        }
        return result;
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
