package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

/** An upload that a version of before began, which described its snapshots otherwise. */
@Timeout(60)
class ChainUpgradeTest {
    private static final VolumeId CHAIN = VolumeId.of("ebs", "chain");
    private static final SnapshotId SNAPSHOT = new SnapshotId(CHAIN, new RecoveryPointId("rp-1"));
    private static final int LOOKS_MAXIMUM = 10_000;

    @TempDir
    Path staging;

    /** Of the version before: the answers to its starts are lost. */
    private static SdkHttpClient before(SdkHttpClient inner) {
        return new SdkHttpClient() {
            @Override
            public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
                if (!request.httpRequest().encodedPath().equals("/snapshots")) {
                    return inner.prepareRequest(request);
                }
                try (var body = request.contentStreamProvider().orElseThrow().newStream()) {
                    var json = new String(body.readAllBytes(), StandardCharsets.UTF_8)
                            .replaceAll("\"Description\":\"[^\"]*\"", "\"Description\":\"tidemark rp-1\"");
                    var start = inner.prepareRequest(HttpExecuteRequest.builder()
                            .request(request.httpRequest())
                            .contentStreamProvider(ContentStreamProvider.fromUtf8String(json))
                            .build());
                    return lost(start);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void close() {
                inner.close();
            }
        };
    }

    private static ExecutableHttpRequest lost(ExecutableHttpRequest asked) {
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                var unused = asked.call();
                throw new IOException("connection reset");
            }

            @Override
            public void abort() {
                asked.abort();
            }
        };
    }

    @Test
    void whatWasBegunBeforeTheUpgradeIsDeletedAndTheSnapshotUploadedAnew() throws Exception {
        try (var cloud = FakeAws.start(FakeAwsSettings.defaults())) {
            var config = EbsAccount.config(cloud.endpoint().toString(), staging);
            var dead = new AtomicBoolean();
            var http = before(new InProcessHttp(cloud, config.region(), dead::get));
            var clients = new AwsClients(config, EbsAccount.CREDENTIALS, http);
            var files = new StagingFiles(() -> {});
            try (var provider = EbsAccount.openStaged(config, clients, cloud.clock(), dead, files)) {
                provider.create(CHAIN, 1 << 20);
                try (var writer = provider.write(CHAIN)) {
                    writer.write(0, ByteBuffer.wrap(new byte[] {1}));
                }
                provider.cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(CHAIN)));
                for (int look = 0; look < LOOKS_MAXIMUM && cloud.snapshots().isEmpty(); look++) {
                    Thread.sleep(1);
                }
                dead.set(true);
            }
            var begun = cloud.snapshots().getFirst().id();

            try (var provider = EbsAccount.openStaged(
                    config, EbsAccount.inProcess(cloud, config), cloud.clock(), new AtomicBoolean(), files)) {
                for (int look = 0; look < LOOKS_MAXIMUM && !isSettled(provider, cloud); look++) {
                    Thread.sleep(1);
                }

                assertThat(cloud.snapshots())
                        .singleElement()
                        .satisfies(each -> assertThat(each.id()).isNotEqualTo(begun));
                assertThat(provider.readiness(SNAPSHOT)).isInstanceOf(Readiness.Ready.class);
            }
        }
    }

    private static boolean isSettled(EbsProvider provider, FakeAws cloud) throws Exception {
        return provider.readiness(SNAPSHOT) instanceof Readiness.Ready
                && cloud.snapshots().size() == 1;
    }

    @Test
    void ofTwoUploadsOfOneLayerTheCompleteOneCounts() {
        var whole = upload("snap-1", "completed");
        var begun = upload("snap-2", "pending");

        assertThat(SnapshotFinder.last(List.of(whole, begun))).isSameAs(whole);
        assertThat(SnapshotFinder.last(List.of(begun, whole))).isSameAs(whole);
    }

    private static CloudSnapshot upload(String id, String state) {
        var tags = Map.of(EbsNames.CHAIN, "1");
        return new CloudSnapshot(id, "vol-1", 1 << 20, state, 0, "", "standard", Instant.EPOCH, tags);
    }
}
