package io.tidemark.control;

import io.tidemark.agent.Pairing;
import io.tidemark.agent.Providers;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.Replicator;
import io.tidemark.agent.SiteCatalog;
import io.tidemark.agent.TargetSessions;
import io.tidemark.agent.TrackingAudits;
import io.tidemark.control.port.ExportHost;
import io.tidemark.control.port.GroupStore;
import io.tidemark.control.port.IdempotencyStore;
import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.OperationStore;
import io.tidemark.control.port.PeerStore;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.Ids;
import io.tidemark.domain.Moments;
import java.time.InstantSource;
import java.util.random.RandomGenerator;

/** Everything control asks of the outside. */
public record ControlPorts(
        Stores stores,
        Agents agents,
        ProblemWriter problems,
        Observer observer,
        Moments moments,
        Ids ids,
        InstantSource clock,
        RandomGenerator random) {

    /** What is kept. */
    public record Stores(
            GroupStore groups,
            RecoveryPointStore recoveryPoints,
            PeerStore peers,
            LinkStore links,
            SiteCatalog catalog,
            OperationStore operations,
            IdempotencyStore idempotency,
            TrackingAudits trackingAudits) {}

    /** What acts on this host, and on others through their agents. */
    public record Agents(
            Providers providers,
            RecoveryPointTaker taker,
            io.tidemark.agent.remote.Agents remote,
            Replicator replicator,
            Pairing pairing,
            TargetSessions targetSessions,
            ExportHost exports,
            LiveHost live) {}
}
