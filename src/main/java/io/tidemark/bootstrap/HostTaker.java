package io.tidemark.bootstrap;

import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Providers;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.consistency.filesystem.FileSystemFreeze;
import io.tidemark.consistency.filesystem.FileSystemFreeze.NativeCalls;
import io.tidemark.domain.Moments;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.transport.SiteIdentity;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;

/** What freezes and cuts on this host, wired: the same for a site and for an agent. */
final class HostTaker {

    private HostTaker() {}

    static LocalRecoveryPointTaker of(
            Settings settings, Providers providers, SiteIdentity identity, Moments moments, InstantSource clock)
            throws IOException {
        var host = HostIdentity.read();
        var calls = BlockKernels.hostCalls()
                .flatMap(found -> BlockKernels.thawGuard().map(guard -> new NativeCalls(found, guard)));
        var fileSystems = new FileSystemFreeze(
                settings.stateFolder(),
                calls,
                BlockKernels.unavailableReason().orElse("no thaw guard was built"),
                Map.of(),
                host.bootId());
        var key = new SigningKey(identity.key(), identity.openKey());
        return new LocalRecoveryPointTaker(
                providers, QuiescerLoading.load(settings), fileSystems, host, key, clock, moments);
    }
}
