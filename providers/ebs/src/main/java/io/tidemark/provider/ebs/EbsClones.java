package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;

/** Volumes made of snapshots, with a name of ours. */
final class EbsClones {
    static final Duration ASK_AGAIN = Duration.ofSeconds(10);
    /** Volumes that had the name before, one after the other, within the time that EC2 remembers a token. */
    private static final int GENERATIONS_MAXIMUM = 100;

    private static final int TOKEN_CHARACTERS = 64;

    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final EbsVolumes volumes;
    private final SnapshotFinder finder;
    private final EbsConfig config;
    private final RecentEffects recent;

    EbsClones(
            Ec2Calls ec2,
            Attempts attempts,
            EbsVolumes volumes,
            SnapshotFinder finder,
            EbsConfig config,
            RecentEffects recent) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.volumes = volumes;
        this.finder = finder;
        this.config = config;
        this.recent = recent;
    }

    Step<Volume> step(CloneRequest request) throws ProviderException {
        if (EbsNames.isCloudVolume(request.name())) {
            throw new ProviderException(new ProviderError.Conflict(
                    request.name().toString(), "such names are given by Amazon; name the clone otherwise"));
        }
        var existing = volumes.lookUp(request.name());
        if (existing.isPresent()) {
            if (!request.snapshot().toString().equals(existing.get().tags().get(EbsNames.ORIGIN))) {
                throw new ProviderException(new ProviderError.VolumeExists(request.name()));
            }
            return step(request, existing.get());
        }
        var snapshot = finder.one(request.snapshot());
        return switch (snapshot.readiness(request.snapshot())) {
            case Readiness.Ready() -> step(request, make(request, snapshot));
            case Readiness.Failed(var error) -> throw new ProviderException(error);
            case Readiness.Pending(var progress, var unused) -> running(request, progress);
        };
    }

    private Step<Volume> step(CloneRequest request, CloudVolume volume) throws ProviderException {
        return switch (volume.state()) {
            case "available", "in-use" -> new Step.Done<>(volumes.described(volume));
            case "error" ->
                throw new ProviderException(new ProviderError.Unexpected(
                        "CreateVolume of " + request.name(), "volume %s is in state error".formatted(volume.id())));
            default -> running(request, 1);
        };
    }

    private static Step<Volume> running(CloneRequest request, double progress) {
        return new Step.Running<>(EbsHandles.ofClone(request), progress, ASK_AGAIN);
    }

    /** A token asks for the same volume again; one that EC2 answers with a volume that is gone has served its time. */
    private CloudVolume make(CloneRequest request, CloudSnapshot snapshot) throws ProviderException {
        var zone = volumes.lookUp(request.snapshot().volume())
                .map(CloudVolume::zone)
                .or(config::zone)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        request.name().toString(),
                        "volume %s is gone, so its availability zone is unknown; set providers.ebs.availabilityZone"
                                .formatted(request.snapshot().volume()))));
        var tags = new LinkedHashMap<String, String>();
        tags.put(EbsNames.INSTALLATION, config.installation());
        tags.put(EbsNames.VOLUME, request.name().name());
        tags.put(EbsNames.ORIGIN, request.snapshot().toString());
        config.onlyTagged().ifPresent(tag -> tags.put(tag.key(), tag.value()));
        for (int generation = 0; generation < GENERATIONS_MAXIMUM; generation++) {
            var token = token(request, snapshot, generation);
            var made = attempts.until(() -> ec2.createVolume(snapshot.id(), zone, token, tags));
            if (!isGone(made)) {
                recent.made(made);
                return made;
            }
        }
        throw new ProviderException(new ProviderError.Conflict(
                request.name().toString(), "volumes of that name were made and removed 100 times; wait a day"));
    }

    private boolean isGone(CloudVolume made) {
        return made.state().startsWith("delet");
    }

    private String token(CloneRequest request, CloudSnapshot snapshot, int generation) {
        var text = "%s %s %s %d".formatted(config.installation(), request, snapshot.id(), generation);
        var digest = DirectCalls.digestOf(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest).substring(0, TOKEN_CHARACTERS);
    }
}
