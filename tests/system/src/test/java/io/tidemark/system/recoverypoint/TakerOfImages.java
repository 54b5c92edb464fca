package io.tidemark.system.recoverypoint;

import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Providers;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.consistency.filesystem.FileSystemFreeze;
import io.tidemark.consistency.filesystem.FileSystemFreeze.NativeCalls;
import io.tidemark.consistency.mariadb.MariaDbQuiescerFactory;
import io.tidemark.consistency.postgresql.PostgresQuiescerFactory;
import io.tidemark.consistency.redis.RedisQuiescerFactory;
import io.tidemark.domain.Moments;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.ProviderFactory;
import io.tidemark.spi.StorageProvider;
import io.tidemark.transport.SiteIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.UnaryOperator;

/** A taker of recovery points wired as the service does it, over the image provider. */
public final class TakerOfImages implements AutoCloseable {
    private final StorageProvider provider;
    private final LocalRecoveryPointTaker taker;

    private TakerOfImages(StorageProvider provider, LocalRecoveryPointTaker taker) {
        this.provider = provider;
        this.taker = taker;
    }

    static TakerOfImages open(Path images, Path state, Moments moments) throws IOException, ProviderException {
        return open(images, state, moments, UnaryOperator.identity());
    }

    /** @param decorator around the provider that the taker sees */
    static TakerOfImages open(Path images, Path state, Moments moments, UnaryOperator<StorageProvider> decorator)
            throws IOException, ProviderException {
        return over(decorator.apply(provider("image", Map.of("folders.0", images.toString()))), state, moments);
    }

    /** As the service has it of one provider, which closes with it. */
    static TakerOfImages over(StorageProvider provider, Path state, Moments moments) throws IOException {
        var host = HostIdentity.read();
        var calls = BlockKernels.hostCalls()
                .flatMap(found -> BlockKernels.thawGuard().map(guard -> new NativeCalls(found, guard)));
        var fileSystems = new FileSystemFreeze(
                state, calls, BlockKernels.unavailableReason().orElse("no guard was built"), Map.of(), host.bootId());
        var identity = SiteIdentity.in(state, InstantSource.system());
        var taker = new LocalRecoveryPointTaker(
                new Providers(List.of(provider)),
                new Quiescers(List.of(
                        new PostgresQuiescerFactory(), new MariaDbQuiescerFactory(), new RedisQuiescerFactory())),
                fileSystems,
                host,
                new SigningKey(identity.key(), identity.openKey()),
                InstantSource.system(),
                moments);
        return new TakerOfImages(provider, taker);
    }

    static StorageProvider provider(String name, Map<String, String> settings) throws ProviderException {
        Optional<ProviderFactory> factory = ServiceLoader.load(ProviderFactory.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(found -> found.name().equals(name))
                .findFirst();
        return factory.orElseThrow(() -> new IllegalStateException("no provider " + name + " is on the class path"))
                .create(settings);
    }

    public StorageProvider provider() {
        return provider;
    }

    public LocalRecoveryPointTaker taker() {
        return taker;
    }

    @Override
    public void close() {
        provider.close();
    }
}
