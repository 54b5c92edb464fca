package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.azure.AzureModels;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What we ask, and what our fake answers, judged by Microsoft's own program for that: oav. */
class OavTest {
    private static final Path SPECIFICATION = Path.of(
                    System.getProperty("tidemark.cloudModels", "../../../shared/cloud-models"), "azure/specification")
            .toAbsolutePath()
            .normalize();
    private static final Duration TIME_MAXIMUM = Duration.ofMinutes(2);

    @TempDir
    Path folder;

    @Test
    void oavFindsNothingInALifeAndFindsWhatIsWrongOnPurpose() throws Exception {
        boolean isHere = AzureModels.available() && Files.isDirectory(SPECIFICATION);
        if (!isHere) {
            System.err.println("SKIPPED: oav has no published models: " + SPECIFICATION);
        }
        Assumptions.assumeTrue(isHere, "no published models");
        var log = recorded();

        var said = judged(log);

        assertThat(said).hasSize(1);
        assertThat(Integer.parseInt(said.getLast().replace("judged ", ""))).isGreaterThan(40);
        var spoilt =
                Files.writeString(log, Files.readString(log).replace("\\\"incremental\\\"", "\\\"incremantal\\\""));
        assertThat(judged(spoilt)).anySatisfy(each -> assertThat(each).contains("request:", "incremantal"));
    }

    private Path recorded() throws Exception {
        var log = folder.resolve("azure.jsonl");
        var cloud =
                FakeAzure.inProcess(FakeAzureSettings.defaults().taking(Duration.ofSeconds(2), Duration.ofMinutes(1)));
        var config = AzureAccount.inProcess(cloud);
        var http = new RecordingHttp(new InProcessHttp(() -> cloud), log, config.subscription());
        try (var provider = open(cloud, config, http);
                var north = open(
                        cloud,
                        AzureAccount.config(cloud, "http://127.0.0.1", Map.of("location", "northeurope")),
                        http)) {
            life(cloud, provider, north);
        }
        return log;
    }

    private static AzureProvider open(FakeAzure cloud, AzureConfig config, RecordingHttp http) {
        var clients = new AzureClients(config, http, Optional.empty());
        return AzureAccount.open(config, clients, cloud.clock(), new AtomicBoolean());
    }

    private static void life(FakeAzure cloud, AzureProvider provider, AzureProvider north) throws Exception {
        var disk = cloud.createDisk(AzureAccount.GROUP, "data", 1);
        var more = cloud.createDisk(AzureAccount.GROUP, "more", 1);
        cloud.createMachine(AzureAccount.GROUP, "vm", "Standard_D4s_v5", List.of(disk, more));
        var data = AzureAccount.volume("data");
        var single = new SnapshotId(data, new RecoveryPointId("rp-1"));
        provider.volumes();
        provider.cut(new CutRequest(single.recoveryPoint(), List.of(data)));
        provider.cut(new CutRequest(new RecoveryPointId("rp-2"), List.of(data, AzureAccount.volume("more"))));
        provider.hold(single, new HoldOwner("link-1"));
        provider.release(single, new HoldOwner("link-1"));
        provider.snapshots(SnapshotQuery.everything());
        for (var each : List.of(single, new SnapshotId(data, new RecoveryPointId("rp-2")))) {
            try (var reader = provider.read(each)) {
                reader.read(0, ByteBuffer.allocate(1));
            }
            provider.clone(new CloneRequest(each, AzureAccount.volume("of-" + each.recoveryPoint())));
        }
        north.copyOf(provider, single, Optional.empty());
        cloud.clock().advance(Duration.ofMinutes(2));
        north.copyOf(provider, single, Optional.empty());
        var upload = AzureAccount.volume("upload");
        provider.create(upload, 20 << 20);
        try (var writer = provider.write(upload)) {
            writer.write(0, ByteBuffer.allocate(512));
            writer.flush();
        }
        provider.cut(new CutRequest(single.recoveryPoint(), List.of(upload)));
        provider.remove(AzureAccount.volume("of-rp-1"));
        provider.delete(single);
        provider.delete(new SnapshotId(data, new RecoveryPointId("rp-2")));
        provider.delete(new SnapshotId(AzureAccount.volume("more"), new RecoveryPointId("rp-2")));
    }

    private List<String> judged(Path log) throws Exception {
        var script = Path.of("src/test/resources/oav-log.js").toAbsolutePath().toString();
        var said = folder.resolve("said.txt");
        var program = NodeTools.program("oav", "4.0.3", "package.json");
        program.command(
                program.command().getFirst(),
                script,
                Objects.requireNonNull(Path.of(program.command().get(1)).getParent())
                        .toString(),
                SPECIFICATION.toString(),
                log.toString());
        var process = program.directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        if (!process.waitFor(TIME_MAXIMUM.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("oav was not done within " + TIME_MAXIMUM);
        }
        return Files.readAllLines(said, StandardCharsets.UTF_8);
    }
}
