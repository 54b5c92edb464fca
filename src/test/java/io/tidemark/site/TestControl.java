package io.tidemark.site;

import io.tidemark.agent.Providers;
import io.tidemark.agent.RecoveryPointTaker;
import io.tidemark.agent.remote.ConnectedAgents;
import io.tidemark.control.ControlPorts;
import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.control.SiteControl;
import io.tidemark.domain.Ids;
import io.tidemark.domain.Moments;
import io.tidemark.http.Problems;
import io.tidemark.store.SiteStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Random;

/** The use cases of a controller over agents that are there, with peers that are not. */
public final class TestControl {
    private TestControl() {}

    /** One life of them; the next may be given the same store once this one has been stopped. */
    public static SiteControl over(
            SiteStore store, Providers providers, RecoveryPointTaker taker, ConnectedAgents agents) {
        var clock = InstantSource.system();
        var random = new Random();
        var stores = new ControlPorts.Stores(
                store.groups(),
                store.recoveryPoints(),
                store.peers(),
                store.links(),
                store.catalog(),
                store.operations(),
                store.idempotency(),
                store.trackingAudits());
        var ports = new ControlPorts.Agents(
                providers,
                taker,
                agents,
                new FakeReplicator(providers, Moments.NONE),
                new FakePairing(store.catalog(), clock),
                link -> Optional.empty(),
                TestExports.of(providers),
                new NoLiveLinks());
        return new SiteControl(
                new ControlPorts(
                        stores,
                        ports,
                        Problems.writer(),
                        Observer.NONE,
                        Moments.NONE,
                        new Ids(clock, random),
                        clock,
                        random),
                new OperationSettings(8, Duration.ofMillis(300)));
    }
}
