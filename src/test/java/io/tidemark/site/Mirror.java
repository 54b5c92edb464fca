package io.tidemark.site;

import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A provider in memory whose storage copies snapshots of another one, in as many steps as it is told. */
final class Mirror {
    private final MemoryProvider inner;
    private final AtomicInteger steps;
    private final BooleanSupplier isAway;

    private Mirror(MemoryProvider inner, AtomicInteger steps, BooleanSupplier isAway) {
        this.inner = inner;
        this.steps = steps;
        this.isAway = isAway;
    }

    /**
     * @param steps how often a copy that is asked for is not made yet
     * @param isAway whether who asks for one, or deletes one, gets no answer
     */
    static StorageProvider of(MemoryProvider inner, AtomicInteger steps, BooleanSupplier isAway) {
        var mirror = new Mirror(inner, steps, isAway);
        return (StorageProvider) Proxy.newProxyInstance(
                Mirror.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class, SnapshotCopies.class},
                (proxy, method, given) -> switch (method.getName()) {
                    case "ability" ->
                        given[0] == SnapshotCopies.class
                                ? Optional.of(proxy)
                                : invoked(() -> method.invoke(inner, given));
                    case "copiesFrom" -> given[0] != proxy;
                    case "phase" -> "is copied";
                    case "copyOf" -> mirror.step((StorageProvider) given[0], (SnapshotId) given[1]);
                    case "resume" -> mirror.resumed((Handle) given[0]);
                    case "delete" -> {
                        mirror.refuseAway();
                        yield invoked(() -> method.invoke(inner, given));
                    }
                    default -> invoked(() -> method.invoke(inner, given));
                });
    }

    private interface Invocation {
        Object call() throws IllegalAccessException, InvocationTargetException;
    }

    private static Object invoked(Invocation invocation) throws Throwable {
        try {
            return invocation.call();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private void refuseAway() throws ProviderException {
        if (isAway.getAsBoolean()) {
            throw new ProviderException(new ProviderError.Unreachable("the mirror", "it does not answer"));
        }
    }

    private Step<Snapshot> step(StorageProvider source, SnapshotId snapshot) throws ProviderException {
        refuseAway();
        var volume = VolumeId.of(inner.name(), snapshot.volume().name());
        try (var reader = source.read(snapshot)) {
            var bytes = ByteBuffer.allocate((int) reader.sizeBytes());
            reader.read(0, bytes);
            inner.create(volume, reader.sizeBytes());
            try (var writer = inner.write(volume)) {
                writer.write(0, bytes.flip());
                writer.flush();
            }
        }
        return finished(new SnapshotId(volume, snapshot.recoveryPoint()));
    }

    private Step<Snapshot> resumed(Handle handle) throws ProviderException {
        return finished(SnapshotId.parse(handle.token()));
    }

    private Step<Snapshot> finished(SnapshotId copy) throws ProviderException {
        if (steps.getAndDecrement() > 0) {
            return new Step.Running<>(new Handle(inner.name(), copy.toString()), 0.5, Duration.ZERO);
        }
        var cut = inner.cut(new CutRequest(copy.recoveryPoint(), List.of(copy.volume())));
        return new Step.Done<>(cut.members().getFirst().snapshot());
    }
}
