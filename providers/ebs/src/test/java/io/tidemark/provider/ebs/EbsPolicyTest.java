package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FastRestores;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** That the policy grants what is asked for, no less and no more, is seen by asking for everything there is. */
class EbsPolicyTest {
    @Test
    void whatIsGrantedIsWhatIsAskedFor() throws Exception {
        var granted = new TreeSet<String>();
        for (JsonNode statement : policy().path("Statement")) {
            statement
                    .path("Action")
                    .forEach(action -> granted.add(action.asText().replaceAll("^[a-z0-9]+:", "")));
        }
        // Asked for by Amazon on our behalf, never by us.
        for (var right : List.of("DescribeKey", "Decrypt", "GenerateDataKeyWithoutPlaintext", "CreateGrant")) {
            assertThat(granted.remove(right)).as(right).isTrue();
        }
        for (var right : List.of("ReEncryptFrom", "ReEncryptTo")) {
            assertThat(granted.remove(right)).as(right).isTrue();
        }

        var asked = new TreeSet<>(asked());
        asked.addAll(askedForACopy());
        assertThat(asked).isEqualTo(granted);
    }

    @Test
    void onlyWhatIsOursIsDeletedAndRead() throws Exception {
        for (JsonNode statement : policy().path("Statement")) {
            var actions = statement.path("Action").toString();
            if (actions.contains("Delete") || actions.contains("ebs:") || actions.contains("Unlock")) {
                var whose = actions.contains("StartSnapshot") ? "aws:RequestTag/" : "aws:ResourceTag/";
                assertThat(statement
                                .path("Condition")
                                .path("StringEquals")
                                .path(whose + EbsNames.INSTALLATION)
                                .asText())
                        .isEqualTo("prod");
            }
        }
    }

    private static JsonNode policy() throws Exception {
        return new ObjectMapper()
                .readTree(new EbsProviderFactory()
                        .policy(Map.of("installation", "prod"))
                        .orElseThrow());
    }

    private static void upload(FakeAws cloud) throws Exception {
        var config = EbsAccount.config(cloud.endpoint().toString(), Files.createTempDirectory("tidemark-staging-"));
        var chain = VolumeId.of("ebs", "chain");
        try (var provider = EbsAccount.openStaged(
                config, EbsAccount.clients(config), cloud.clock(), new AtomicBoolean(), new StagingFiles(() -> {}))) {
            provider.create(chain, 1 << 20);
            try (var writer = provider.write(chain)) {
                writer.write(0, ByteBuffer.wrap(new byte[] {1}));
            }
            provider.cut(new CutRequest(new RecoveryPointId("rp-3"), List.of(chain)));
            var snapshot = new SnapshotId(chain, new RecoveryPointId("rp-3"));
            for (int look = 0; look < 10_000 && !(provider.readiness(snapshot) instanceof Readiness.Ready); look++) {
                Thread.sleep(1);
            }
            provider.delete(snapshot);
            provider.remove(chain);
        }
    }

    /** A volume's life, and that of two together, with all that can be asked of them. */
    private static List<String> asked() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            var provider = EbsAccount.open(cloud);
            var one = cloud.createVolume(1, Map.of());
            var two = cloud.createVolume(1, Map.of());
            cloud.createInstance(List.of(one, two));
            var volume = EbsAccount.volume(one.id());
            one.write(0, new byte[] {1});
            provider.volumes();
            var both = List.of(volume, EbsAccount.volume(two.id()));
            provider.cut(new CutRequest(new RecoveryPointId("rp-1"), both));
            provider.cut(new CutRequest(new RecoveryPointId("rp-2"), List.of(volume)));
            var older = new SnapshotId(volume, new RecoveryPointId("rp-1"));
            var newer = new SnapshotId(volume, new RecoveryPointId("rp-2"));
            try (var reader = provider.read(older);
                    var changed = provider.changedRanges(older, newer)) {
                reader.read(0, ByteBuffer.allocate(1));
                changed.next();
            }
            provider.hold(older, new HoldOwner("link-1"));
            provider.release(older, new HoldOwner("link-1"));
            provider.clone(new CloneRequest(older, VolumeId.of("ebs", "copy")));
            provider.remove(VolumeId.of("ebs", "copy"));
            protect(cloud, provider, older);
            provider.close();
            upload(cloud);
            return List.copyOf(cloud.calls().keySet());
        }
    }

    /** All that is done to one snapshot by itself, its deletion the last. */
    private static void protect(FakeAws cloud, EbsProvider provider, SnapshotId snapshot) throws Exception {
        var locks = provider.ability(SnapshotLocks.class).orElseThrow();
        var until = cloud.clock().instant().plus(Duration.ofDays(2));
        locks.lock(snapshot, new LockRequest(LockMode.GOVERNANCE, until, Duration.ZERO));
        locks.unlock(snapshot);
        var fast = provider.ability(FastRestores.class).orElseThrow();
        fast.setFastRestore(snapshot, List.of("eu-central-1a"), true);
        fast.setFastRestore(snapshot, List.of("eu-central-1a"), false);
        var archives = provider.ability(SnapshotArchives.class).orElseThrow();
        archives.archive(snapshot);
        cloud.clock().advance(Duration.ofDays(3));
        archives.restore(snapshot, Optional.of(1));
        cloud.recycleBin("eu-central-1", Duration.ofDays(1));
        provider.delete(snapshot);
        provider.ability(RecycleBin.class).orElseThrow().undelete(snapshot);
        provider.delete(snapshot);
    }

    @Test
    void keysAreUsedThroughAmazonEbsAlone() throws Exception {
        for (JsonNode statement : policy().path("Statement")) {
            if (statement.path("Action").toString().contains("kms:")) {
                var condition = statement.path("Condition");
                assertThat(condition.path("StringLike").path("kms:ViaService").toString())
                        .contains("ec2.*.amazonaws.com");
                assertThat(condition
                                .path("Bool")
                                .path("kms:GrantIsForAWSResource")
                                .asText())
                        .isEqualTo(statement.path("Action").toString().contains("CreateGrant") ? "true" : "");
            }
        }
    }

    private static Set<String> askedForACopy() throws Exception {
        try (var regions = new TwoRegions(FakeAwsSettings.defaults(), 1)) {
            var ireland = regions.settled();
            ireland.copyOf(regions.source, regions.cut("rp-1", 1), Optional.empty());
            return regions.cloud.calls().keySet();
        }
    }
}
