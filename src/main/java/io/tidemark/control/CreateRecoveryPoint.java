package io.tidemark.control;

import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.RecoveryPointPlan;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Operation;
import java.util.Optional;

/** Plans a recovery point of a group, or starts taking it. */
public final class CreateRecoveryPoint {
    private final Inventory inventory;
    private final RecoveryPointTaker taker;
    private final Operations operations;

    CreateRecoveryPoint(Inventory inventory, RecoveryPointTaker taker, Operations operations) {
        this.inventory = inventory;
        this.taker = taker;
        this.operations = operations;
    }

    /** What taking it would do; changes nothing. */
    public RecoveryPointPlan plan(GroupId group, Intent intent) throws ControlException, ConsistencyException {
        return taker.plan(intent.recoveryPoint(), inventory.group(group));
    }

    public Operation start(GroupId group, Intent intent) throws ControlException {
        var request = RecoveryPointOperation.request(inventory.group(group), intent.recoveryPoint());
        return operations.start(new Operations.Request(
                intent.operation(),
                RecoveryPointOperation.KIND,
                group.value(),
                request,
                Optional.of(intent.recoveryPoint())));
    }
}
