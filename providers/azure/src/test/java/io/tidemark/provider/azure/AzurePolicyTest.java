package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** That the policy grants what is asked for, no less and no more, is seen by asking for everything there is. */
class AzurePolicyTest {
    /** Where an operation's name and the right's differ. */
    private static final Map<String, String> THINGS = Map.of(
            "Snapshots", "snapshots",
            "Disks", "disks",
            "VirtualMachines", "virtualMachines",
            "RestorePointCollections", "restorePointCollections",
            "RestorePoints", "restorePointCollections/restorePoints",
            "DiskRestorePoint", "restorePointCollections/restorePoints/diskRestorePoints",
            "Operations", "locations/operations",
            "Permissions", "../Microsoft.Authorization/permissions");

    private static final VolumeId DATA = AzureAccount.volume("data");
    private static final VolumeId MORE = AzureAccount.volume("more");

    @Test
    void whatIsGrantedIsWhatIsAskedFor() throws Exception {
        var policy = new ObjectMapper()
                .readTree(new AzureProviderFactory()
                        .policy(Map.of("subscription", "here"))
                        .orElseThrow());
        var granted = new TreeSet<String>();
        policy.path("Actions").forEach(each -> granted.add(each.asText()));

        var asked = new TreeSet<String>();
        for (var each : asked()) {
            if (!each.startsWith("Blob_") && !each.startsWith("PageBlob_")) {
                asked.add(right(each));
            }
        }

        assertThat(asked).isEqualTo(granted);
        assertThat(policy.path("AssignableScopes").get(0).asText()).isEqualTo("/subscriptions/here");
    }

    private static String right(String operation) {
        int mark = operation.indexOf('_');
        var verb = operation.substring(mark + 1);
        var right = switch (verb) {
            case "CreateOrUpdate", "Create", "Update" -> "write";
            case "Delete" -> "delete";
            case "GrantAccess" -> "beginGetAccess/action";
            case "RevokeAccess" -> "endGetAccess/action";
            default -> "read";
        };
        return "Microsoft.Compute/%s/%s"
                .formatted(THINGS.getOrDefault(operation.substring(0, mark), "?"), right)
                .replace("Microsoft.Compute/../", "");
    }

    /** A disk's life, and that of two together, with all that can be asked of them. */
    private static Set<String> asked() throws Exception {
        try (var cloud = FakeAzure.start(FakeAzureSettings.defaults().taking(Duration.ofSeconds(1), Duration.ZERO))) {
            var provider = AzureAccount.open(cloud);
            var data = cloud.createDisk(AzureAccount.GROUP, "data", 1);
            var more = cloud.createDisk(AzureAccount.GROUP, "more", 1);
            cloud.createMachine(AzureAccount.GROUP, "vm", "Standard_D4s_v5", List.of(data, more));
            provider.volumes();
            cut(provider, "rp-1", DATA);
            cloud.clock().advance(Duration.ofMinutes(1));
            cut(provider, "rp-2", DATA);
            cut(provider, "rp-3", DATA, MORE);
            for (var point : List.of("rp-1", "rp-3")) {
                var older = new SnapshotId(DATA, new RecoveryPointId(point));
                try (var reader = provider.read(older);
                        var changed =
                                provider.changedRanges(older, new SnapshotId(DATA, new RecoveryPointId("rp-2")))) {
                    reader.read(0, ByteBuffer.allocate(1));
                    changed.next();
                }
                provider.hold(older, new HoldOwner("link-1"));
                provider.release(older, new HoldOwner("link-1"));
                provider.clone(new CloneRequest(older, AzureAccount.volume("copy-" + point)));
            }
            provider.snapshots(SnapshotQuery.everything());
            provider.remove(AzureAccount.volume("copy-rp-1"));
            provider.delete(new SnapshotId(DATA, new RecoveryPointId("rp-1")));
            provider.delete(new SnapshotId(DATA, new RecoveryPointId("rp-3")));
            provider.delete(new SnapshotId(MORE, new RecoveryPointId("rp-3")));
            var upload = AzureAccount.volume("upload");
            provider.create(upload, 20 << 20);
            provider.write(upload).close();
            cut(provider, "rp-4", upload);
            provider.close();
            var config = AzureAccount.config(cloud, cloud.endpoint().toString(), Map.of());
            assertThat(AzureProviderFactory.rights(config, AzureClients.of(config)))
                    .extracting(HostRequirement::state)
                    .containsExactly(HostRequirement.State.MET);
            cloud.clock().advance(Duration.ofSeconds(1));
            assertThat(cloud.collections()).isEmpty();
            AzureAccount.everyCallIsChecked(cloud);
            return cloud.calls().keySet();
        }
    }

    private static void cut(AzureProvider provider, String recoveryPoint, VolumeId... volumes) throws Exception {
        provider.cut(new CutRequest(new RecoveryPointId(recoveryPoint), List.of(volumes)));
    }
}
