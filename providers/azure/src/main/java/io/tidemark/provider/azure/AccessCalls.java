package io.tidemark.provider.azure;

import com.azure.core.http.rest.Response;
import com.azure.resourcemanager.compute.fluent.DiskRestorePointsClient;
import com.azure.resourcemanager.compute.fluent.DisksClient;
import com.azure.resourcemanager.compute.fluent.SnapshotsClient;
import com.azure.resourcemanager.compute.fluent.models.AccessUriInner;
import com.azure.resourcemanager.compute.models.AccessLevel;
import com.azure.resourcemanager.compute.models.GrantAccessData;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Gives and ends shared access signatures: to read a snapshot or a disk's part of a restore point, or to write a disk
 * that is uploaded to.
 */
final class AccessCalls {
    /**
     * One that nobody ended, for its process died, opens nothing any more after this; who reads longer asks for
     * another.
     */
    static final Duration DURATION = Duration.ofHours(1);
    /** Of the operation that gives one. */
    private static final Duration GRANT_MAXIMUM = Duration.ofSeconds(60);

    private final Arm arm;
    private final Attempts attempts;
    private final InstantSource clock;
    private final DisksClient disks;
    private final SnapshotsClient snapshots;
    private final DiskRestorePointsClient points;

    AccessCalls(Arm arm, Attempts attempts, InstantSource clock) {
        this.arm = arm;
        this.attempts = attempts;
        this.clock = clock;
        disks = arm.clients().compute().getDisks();
        snapshots = arm.clients().compute().getSnapshots();
        points = arm.clients().compute().getDiskRestorePoints();
    }

    /**
     * Asked for twice it gives two, which are both ended by {@link #end}.
     *
     * @throws ProviderException Busy where the disk's snapshots have as many as Azure allows
     */
    URI grant(CloudSnapshot snapshot) throws ProviderException {
        var asked = "access to " + snapshot.name();
        var wanted = wanted(AccessLevel.READ);
        return granted(asked, () -> {
            var at = PointName.of(snapshot.id());
            return at.isPresent()
                    ? points.grantAccessWithResponseAsync(
                            at.get().group(),
                            at.get().collection(),
                            at.get().point(),
                            at.get().disk(),
                            wanted)
                    : snapshots.grantAccessWithResponseAsync(snapshot.group(), snapshot.name(), wanted);
        });
    }

    /** To write a disk that is uploaded to. */
    URI grant(CloudDisk disk) throws ProviderException {
        return granted(
                "access to " + disk.name(),
                () -> disks.grantAccessWithResponseAsync(disk.group(), disk.name(), wanted(AccessLevel.WRITE)));
    }

    private static GrantAccessData wanted(AccessLevel level) {
        return new GrantAccessData().withAccess(level).withDurationInSeconds(Math.toIntExact(DURATION.toSeconds()));
    }

    private URI granted(String asked, Supplier<Mono<Response<Flux<ByteBuffer>>>> call) throws ProviderException {
        var begun = attempts.until(() -> arm.begin(asked, call));
        var body = begun.body().toBytes();
        if (!begun.done()) {
            body = result(asked, begun);
        }
        var address = body.length == 0
                ? null
                : Arm.parsed(body, AccessUriInner::fromJson).accessSas();
        if (address == null) {
            throw new ProviderException(new ProviderError.Unexpected(asked, "no signature"));
        }
        return URI.create(address);
    }

    private byte[] result(String asked, Arm.Begun begun) throws ProviderException {
        var operation = begun.operation()
                .orElseThrow(() -> new ProviderException(new ProviderError.Unexpected(asked, "202 and no address")));
        Instant until = clock.instant().plus(GRANT_MAXIMUM);
        while (clock.instant().isBefore(until)) {
            arm.gate().pause(asked, begun.askAgain());
            var result = attempts.until(() -> arm.result(asked, operation));
            if (result.isPresent()) {
                return result.get();
            }
        }
        throw new ProviderException(new ProviderError.Busy(
                asked,
                "Azure, which has been giving it for %d s".formatted(GRANT_MAXIMUM.toSeconds()),
                Duration.ofSeconds(15)));
    }

    /** Ends all signatures of the snapshot, those of others too. */
    void end(CloudSnapshot snapshot) throws ProviderException {
        var unused = attempts.until(() -> arm.begin("end of access to " + snapshot.name(), () -> {
            var at = PointName.of(snapshot.id());
            return at.isPresent()
                    ? points.revokeAccessWithResponseAsync(
                            at.get().group(),
                            at.get().collection(),
                            at.get().point(),
                            at.get().disk())
                    : snapshots.revokeAccessWithResponseAsync(snapshot.group(), snapshot.name());
        }));
    }

    /** Ends all signatures of the disk, and with them its upload. */
    void end(CloudDisk disk) throws ProviderException {
        var unused = attempts.until(() -> arm.begin(
                "end of access to " + disk.name(),
                () -> disks.revokeAccessWithResponseAsync(disk.group(), disk.name())));
    }
}
