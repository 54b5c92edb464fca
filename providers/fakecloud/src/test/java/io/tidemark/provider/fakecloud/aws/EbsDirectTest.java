package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** EBS direct, rule by rule. */
class EbsDirectTest extends ModelChecked {
    private static final int BLOCK = 512 << 10;

    @Test
    void whatIsWrittenIsReadBackWithItsChecksum() throws Exception {
        String id = upload(null, Map.of(3, block(1), 1, block(2)));

        var list = wire.get("/snapshots/%s/blocks".formatted(id)).json();
        var entry = list.path("Blocks").get(1);
        var read = read(
                id, entry.path("BlockIndex").asInt(), entry.path("BlockToken").asText());

        assertThat(list.path("BlockSize").asInt()).isEqualTo(BLOCK);
        assertThat(list.path("ExpiryTime").asLong())
                .isEqualTo(aws.clock().instant().plus(Duration.ofDays(7)).getEpochSecond());
        assertThat(indexes(list.path("Blocks"))).containsExactly(1, 3);
        assertThat(read.bytes()).isEqualTo(block(1));
        assertThat(read.header("x-amz-checksum")).isEqualTo(base64(AwsWire.sha256(block(1))));
        assertThat(aws.snapshot(id).read((long) BLOCK, 1)).containsExactly(2);
        assertThat(wire.ec2("DescribeSnapshots", "Owner.1", "self").one("volumeId"))
                .isEqualTo("vol-ffffffff");
    }

    @Test
    void aBlockWithAnotherChecksumLengthOrPlaceIsRefused() throws Exception {
        String id = start("{\"VolumeSize\":1}");
        String wrong = base64(AwsWire.sha256(block(2)));

        assertReason("INVALID_PARAMETER_VALUE", wire.put(id, 0, block(1), wrong, BLOCK));
        assertReason("INVALID_PARAMETER_VALUE", wire.put(id, 0, new byte[100]));
        assertReason("INVALID_PARAMETER_VALUE", wire.put(id, 0, block(1), wrong, 100));
        assertReason("INVALID_BLOCK", wire.put(id, 2048, block(1)));
        assertThat(wire.put(id, 2047, block(1)).status()).isEqualTo(201);
        assertThat(wire.complete(id, 1).status()).isEqualTo(202);

        assertThat(aws.snapshot(id).blocks()).containsExactly(2047);
    }

    @Test
    void countAndLinearChecksumAreCompared() throws Exception {
        String id = start("{\"VolumeSize\":1}");
        wire.put(id, 7, block(7));
        wire.put(id, 2, block(9));
        wire.put(id, 2, block(2));
        var raw = new ByteArrayOutputStream();
        raw.write(AwsWire.sha256(block(2)));
        raw.write(AwsWire.sha256(block(7)));
        String linear = base64(AwsWire.sha256(raw.toByteArray()));
        String other = base64(AwsWire.sha256(block(2)));

        assertReason("INVALID_PARAMETER_VALUE", wire.complete(id, 3));
        assertReason("INVALID_PARAMETER_VALUE", complete(id, 2, other));
        assertReason("INVALID_PARAMETER_VALUE", wire.complete(id, 2, "x-amz-Checksum", linear));
        assertThat(aws.state(aws.snapshot(id))).isEqualTo("pending");
        assertThat(complete(id, 2, linear).status()).isEqualTo(202);

        assertThat(aws.state(aws.snapshot(id))).isEqualTo("completed");
        assertThat(complete(id, 2, linear).json().path("Status").asText()).isEqualTo("completed");
    }

    private AwsWire.Answer complete(String id, int count, String checksum) throws Exception {
        return wire.complete(
                id,
                count,
                "x-amz-Checksum",
                checksum,
                "x-amz-Checksum-Algorithm",
                "SHA256",
                "x-amz-Checksum-Aggregation-Method",
                "LINEAR");
    }

    @Test
    void aChildHoldsItsParentsBlocksAndItsOwn() throws Exception {
        String parent = upload(null, Map.of(0, block(1), 5, block(2)));
        String child = upload(parent, Map.of(5, block(3), 9, block(4)));

        var all = wire.get("/snapshots/%s/blocks".formatted(child)).json();
        var changed = wire.get("/snapshots/%s/changedblocks?firstSnapshotId=%s".formatted(child, parent))
                .json()
                .path("ChangedBlocks");

        assertThat(indexes(all.path("Blocks"))).containsExactly(0, 5, 9);
        assertThat(indexes(changed)).containsExactly(5, 9);
        assertThat(changed.get(0).has("FirstBlockToken")).isTrue();
        assertThat(changed.get(1).has("FirstBlockToken")).isFalse();
        assertThat(read(parent, 5, changed.get(0).path("FirstBlockToken").asText())
                        .bytes())
                .isEqualTo(block(2));
        assertThat(read(child, 5, changed.get(0).path("SecondBlockToken").asText())
                        .bytes())
                .isEqualTo(block(3));
    }

    @Test
    void snapshotsOfOneVolumeAreComparedAndThoseOfTwoAreNot() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        volume.write(0, block(1));
        String older = snapshot(volume);
        volume.write(3L * BLOCK, block(2));
        String newer = snapshot(volume);
        String foreign = snapshot(aws.createVolume(1, Map.of()));

        var changed = wire.get("/snapshots/%s/changedblocks?firstSnapshotId=%s".formatted(newer, older));
        var backwards = wire.get("/snapshots/%s/changedblocks?firstSnapshotId=%s".formatted(older, newer));
        var unrelated = wire.get("/snapshots/%s/changedblocks?firstSnapshotId=%s".formatted(newer, foreign));

        assertThat(indexes(changed.json().path("ChangedBlocks"))).containsExactly(3);
        assertThat(backwards.json().path("ChangedBlocks").get(0).has("SecondBlockToken"))
                .isFalse();
        assertReason("UNRELATED_SNAPSHOTS", unrelated);
    }

    @Test
    void pagesAreAscendingAndCompleteAndTheStartIsHeeded() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        for (int index = 0; index < 250; index++) {
            volume.write((long) index * 2 * BLOCK, new byte[] {(byte) index});
        }
        String id = snapshot(volume);
        aws.faults(FaultScript.none().on("ListSnapshotBlocks", 2, Fault.EMPTY_PAGE));

        var seen = new ArrayList<Integer>();
        int pages = 0;
        String token = "";
        do {
            var page = wire.get("/snapshots/%s/blocks?maxResults=100%s".formatted(id, token))
                    .json();
            seen.addAll(indexes(page.path("Blocks")));
            pages++;
            token = page.has("NextToken")
                    ? "&pageToken=" + page.path("NextToken").asText().replace("+", "%2B")
                    : "";
        } while (!token.isEmpty());
        var late = wire.get("/snapshots/%s/blocks?startingBlockIndex=497".formatted(id))
                .json();

        assertThat(pages).isEqualTo(4);
        assertThat(seen).hasSize(250).isSorted().doesNotHaveDuplicates();
        assertThat(indexes(late.path("Blocks"))).containsExactly(498);
    }

    @Test
    void tokensEndAndSuitNothingElse() throws Exception {
        var volume = aws.createVolume(1, Map.of());
        for (int index = 0; index < 150; index++) {
            volume.write((long) index * BLOCK, new byte[] {1});
        }
        String id = snapshot(volume);
        String other = snapshot(volume);
        var page = wire.get("/snapshots/%s/blocks".formatted(id)).json();
        String block = page.path("Blocks").get(0).path("BlockToken").asText();
        String next = page.path("NextToken").asText();

        assertReason("INVALID_BLOCK_TOKEN", read(id, 1, block));
        assertReason("INVALID_BLOCK_TOKEN", read(other, 0, block));
        assertReason("INVALID_BLOCK_TOKEN", read(id, 0, "AAAA"));
        assertReason("INVALID_PAGE_TOKEN", wire.get("/snapshots/%s/blocks?pageToken=%s".formatted(other, next)));
        aws.clock().advance(Duration.ofMinutes(60));
        assertReason("INVALID_PAGE_TOKEN", wire.get("/snapshots/%s/blocks?pageToken=%s".formatted(id, next)));
        assertThat(read(id, 0, block).status()).isEqualTo(200);
        aws.clock().advance(Duration.ofDays(7));
        assertReason("INVALID_BLOCK_TOKEN", read(id, 0, block));
    }

    @Test
    void aTokenThatAFaultEndsStaysEnded() throws Exception {
        String id = upload(null, Map.of(0, block(1)));
        String token = wire.get("/snapshots/%s/blocks".formatted(id))
                .json()
                .path("Blocks")
                .get(0)
                .path("BlockToken")
                .asText();
        aws.faults(FaultScript.none().on("GetSnapshotBlock", 1, Fault.EXPIRE_TOKEN));

        assertReason("INVALID_BLOCK_TOKEN", read(id, 0, token));
        assertReason("INVALID_BLOCK_TOKEN", read(id, 0, token));
        aws.clock().advance(Duration.ofSeconds(1));
        String fresh = wire.get("/snapshots/%s/blocks".formatted(id))
                .json()
                .path("Blocks")
                .get(0)
                .path("BlockToken")
                .asText();

        assertThat(read(id, 0, fresh).status()).isEqualTo(200);
    }

    @Test
    void aClientTokenMakesOneSnapshotAndConflictsWithOtherParameters() throws Exception {
        var first = wire.start("{\"VolumeSize\":1,\"ClientToken\":\"t\"}");
        var again = wire.start("{\"ClientToken\":\"t\",\"VolumeSize\":1}");
        var other = wire.start("{\"VolumeSize\":2,\"ClientToken\":\"t\"}");

        assertThat(again.json().path("SnapshotId")).isEqualTo(first.json().path("SnapshotId"));
        assertThat(other.status()).isEqualTo(409);
        assertThat(other.header("x-amzn-errortype")).isEqualTo("ConflictException");
        assertThat(aws.snapshots()).hasSize(1);
    }

    @Test
    void aNewSnapshotIsNotFoundForTheFirstCalls() throws Exception {
        restart(FakeAwsSettings.defaults().notFoundAfterStart(2));
        String id = start("{\"VolumeSize\":1}");

        assertThat(wire.put(id, 0, block(1)).status()).isEqualTo(404);
        assertThat(wire.put(id, 0, block(1)).status()).isEqualTo(404);
        assertThat(wire.put(id, 0, block(1)).status()).isEqualTo(201);
    }

    @Test
    void onlyPendingSnapshotsAreWrittenAndOnlyCompletedOnesRead() throws Exception {
        restart(FakeAwsSettings.defaults().takes(Duration.ofMinutes(1)));
        String id = start("{\"VolumeSize\":1}");
        wire.put(id, 0, block(1));

        assertReason("INVALID_SNAPSHOT_ID", wire.get("/snapshots/%s/blocks".formatted(id)));
        assertThat(wire.complete(id, 1).json().path("Status").asText()).isEqualTo("pending");
        assertReason("INVALID_SNAPSHOT_ID", wire.put(id, 1, block(1)));
        assertReason("INVALID_SNAPSHOT_ID", wire.get("/snapshots/%s/blocks".formatted(id)));
        assertReason("INVALID_SNAPSHOT_ID", wire.start("{\"VolumeSize\":1,\"ParentSnapshotId\":\"%s\"}".formatted(id)));
        aws.clock().advance(Duration.ofMinutes(1));
        assertThat(wire.get("/snapshots/%s/blocks".formatted(id)).status()).isEqualTo(200);
        assertThat(wire.get("/snapshots/snap-0abc/blocks").status()).isEqualTo(404);
    }

    @Test
    void anUploadThatRestsTooLongIsCancelled() throws Exception {
        String id = start("{\"VolumeSize\":1,\"Timeout\":10}");
        aws.clock().advance(Duration.ofMinutes(9));
        wire.put(id, 0, block(1));
        aws.clock().advance(Duration.ofMinutes(9));
        assertThat(wire.put(id, 1, block(1)).status()).isEqualTo(201);
        aws.clock().advance(Duration.ofMinutes(10));

        assertReason("WRITE_REQUEST_TIMEOUT", wire.put(id, 2, block(1)));
        assertReason("WRITE_REQUEST_TIMEOUT", wire.complete(id, 2));
        assertThat(wire.ec2("DescribeSnapshots", "SnapshotId.1", id).one("status"))
                .isEqualTo("error");
    }

    @Test
    void aParentAndEncryptionExcludeEachOtherAndSizesNeverShrink() throws Exception {
        String parent = wire.start("{\"VolumeSize\":2,\"Encrypted\":true}")
                .json()
                .path("SnapshotId")
                .asText();
        wire.complete(parent, 0);

        assertReason(
                "INVALID_PARAMETER_VALUE",
                wire.start("{\"VolumeSize\":2,\"Encrypted\":true,\"ParentSnapshotId\":\"%s\"}".formatted(parent)));
        assertReason(
                "INVALID_VOLUME_SIZE", wire.start("{\"VolumeSize\":1,\"ParentSnapshotId\":\"%s\"}".formatted(parent)));
        String child = start("{\"VolumeSize\":3,\"ParentSnapshotId\":\"%s\"}".formatted(parent));

        assertThat(wire.ec2("DescribeSnapshots", "SnapshotId.1", child).one("encrypted"))
                .isEqualTo("true");
    }

    private String upload(@Nullable String parent, Map<Integer, byte[]> blocks) throws Exception {
        String id = start(
                parent == null
                        ? "{\"VolumeSize\":1}"
                        : "{\"VolumeSize\":1,\"ParentSnapshotId\":\"%s\"}".formatted(parent));
        for (var block : blocks.entrySet()) {
            assertThat(wire.put(id, block.getKey(), block.getValue()).status()).isEqualTo(201);
        }
        assertThat(wire.complete(id, blocks.size()).status()).isEqualTo(202);
        return id;
    }

    private String start(String json) throws Exception {
        return wire.start(json).json().path("SnapshotId").asText();
    }

    private String snapshot(FakeVolume volume) throws Exception {
        return wire.ec2("CreateSnapshot", "VolumeId", volume.id()).one("snapshotId");
    }

    private AwsWire.Answer read(String id, int index, String token) throws Exception {
        return wire.get("/snapshots/%s/blocks/%d?blockToken=%s".formatted(id, index, token.replace("+", "%2B")));
    }

    private static void assertReason(String reason, AwsWire.Answer answer) throws Exception {
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("x-amzn-errortype")).isEqualTo("ValidationException");
        assertThat(answer.json().path("Reason").asText()).isEqualTo(reason);
    }

    private static List<Integer> indexes(JsonNode entries) {
        var indexes = new ArrayList<Integer>();
        entries.forEach(entry -> indexes.add(entry.path("BlockIndex").asInt()));
        return indexes;
    }

    private static byte[] block(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
