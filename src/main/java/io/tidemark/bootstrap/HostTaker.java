package io.tidemark.bootstrap;

import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Providers;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.consistency.command.CommandQuiescerFactory;
import io.tidemark.consistency.filesystem.FileSystemFreeze;
import io.tidemark.consistency.filesystem.FileSystemFreeze.NativeCalls;
import io.tidemark.consistency.mariadb.MariaDbQuiescerFactory;
import io.tidemark.consistency.postgresql.PostgresQuiescerFactory;
import io.tidemark.consistency.redis.RedisQuiescerFactory;
import io.tidemark.domain.Moments;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.transport.SiteIdentity;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
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
        var quiescers = new Quiescers(List.of(
                new PostgresQuiescerFactory(),
                new MariaDbQuiescerFactory(),
                new RedisQuiescerFactory(),
                new CommandQuiescerFactory(settings.commands(), settings.stateFolder())));
        var key = new SigningKey(identity.key(), identity.openKey());
        return new LocalRecoveryPointTaker(providers, quiescers, fileSystems, host, key, clock, moments);
    }
}
