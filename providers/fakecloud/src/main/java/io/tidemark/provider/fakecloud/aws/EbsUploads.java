package io.tidemark.provider.fakecloud.aws;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.aws.AwsRegion.TokenUse;
import io.tidemark.provider.fakecloud.aws.EbsUpload.Written;
import io.tidemark.provider.fakecloud.aws.FakeSnapshot.Encryption;
import io.tidemark.provider.fakecloud.aws.FakeVolume.Lineage;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The writing half of EBS direct of one region: StartSnapshot, PutSnapshotBlock, CompleteSnapshot. */
final class EbsUploads {
    private static final int TIMEOUT_MINUTES_DEFAULT = 60;
    private static final int TIMEOUT_MINUTES_MINIMUM = 10;
    private static final int TIMEOUT_MINUTES_MAXIMUM = 4320;
    private static final int SIZE_GIB_MAXIMUM = 65_536;
    private static final int BLOCKS_PER_GIB = 2048;
    private static final Duration STUCK_FOR = Duration.ofHours(6);

    private final AwsRegion region;
    private final Map<String, TokenUse> tokens = new HashMap<>();
    private final Map<String, Fault> endings = new HashMap<>();
    /** Blocks by their digests, so that equal ones are held once. */
    private final Map<String, WeakReference<byte[]>> known = new HashMap<>();

    /** The fields of StartSnapshot, checked. */
    private record Start(
            int sizeGib, @Nullable FakeSnapshot parent, Encryption encryption, Duration timeout, JsonNode body) {}

    EbsUploads(AwsRegion region) {
        this.region = region;
    }

    HttpAnswer start(EbsCall call, Fault fault, FaultScript script) throws EbsException {
        JsonNode body = body(call.request());
        region.lock.lock();
        try {
            String token = text(body, "ClientToken");
            String parameters = parameters(body);
            TokenUse use = token == null ? null : tokens.get(token);
            if (use != null && !use.parameters().equals(parameters)) {
                throw new EbsException(
                        409, "ConflictException", null, "The client token was used with other parameters.");
            }
            FakeSnapshot made = use == null ? null : region.snapshots.get(use.madeId());
            if (made != null) {
                return EbsDirect.json(201, answer(made, text(body, "ParentSnapshotId")));
            }
            checkConcurrent();
            Start start = checked(body);
            int invisible = script.invisibleLists(fault);
            FakeSnapshot snapshot = begin(start, region.settings.notFoundAfterStart() + invisible);
            snapshot.invisibleLists = invisible;
            endings.put(snapshot.id, fault);
            if (token != null) {
                tokens.put(token, new TokenUse(parameters, snapshot.id));
            }
            return EbsDirect.json(201, answer(snapshot, text(body, "ParentSnapshotId")));
        } finally {
            region.lock.unlock();
        }
    }

    private void checkConcurrent() throws EbsException {
        Instant now = region.now();
        long open = endings.keySet().stream()
                .map(region.snapshots::get)
                .filter(snapshot -> snapshot != null && snapshot.state(now).equals("pending"))
                .count();
        if (open >= region.settings.limits().startedSnapshots()) {
            throw new EbsException(
                    400,
                    "ConcurrentLimitExceededException",
                    null,
                    "You have reached the limit for concurrent API requests.");
        }
    }

    private Start checked(JsonNode body) throws EbsException {
        long size = body.path("VolumeSize").asLong();
        if (size < 1 || size > SIZE_GIB_MAXIMUM) {
            throw EbsException.invalid("INVALID_VOLUME_SIZE", "VolumeSize is not 1 to 65536 GiB: " + size);
        }
        int minutes = body.path("Timeout").asInt(TIMEOUT_MINUTES_DEFAULT);
        if (minutes < TIMEOUT_MINUTES_MINIMUM || minutes > TIMEOUT_MINUTES_MAXIMUM) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "Timeout is not 10 to 4320 minutes: " + minutes);
        }
        String parentId = text(body, "ParentSnapshotId");
        boolean encrypted = body.path("Encrypted").asBoolean(false);
        if (parentId != null && body.has("Encrypted")) {
            throw EbsException.invalid(
                    "INVALID_PARAMETER_VALUE", "Encrypted and ParentSnapshotId cannot be given together");
        }
        String key = text(body, "KmsKeyArn");
        if (key != null && parentId == null && !encrypted) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "KmsKeyArn needs Encrypted");
        }
        FakeSnapshot parent = parentId == null ? null : parent(parentId, size);
        Encryption encryption;
        if (parent != null) {
            encryption = parent.encryption();
        } else if (encrypted || region.encryptionByDefault) {
            encryption = new Encryption(true, Objects.requireNonNullElse(key, Ec2Volumes.defaultKey(region)));
        } else {
            encryption = Encryption.NONE;
        }
        return new Start((int) size, parent, encryption, Duration.ofMinutes(minutes), body);
    }

    private FakeSnapshot parent(String id, long size) throws EbsException {
        FakeSnapshot parent = region.snapshot(id);
        if (parent == null || !parent.ownerId.equals(region.accountId)) {
            throw EbsException.notFound(id);
        }
        Instant now = region.now();
        if (!parent.state(now).equals("completed")
                || Ec2Snapshots.tier(parent, now).equals("archive")) {
            throw EbsException.invalid(
                    "INVALID_SNAPSHOT_ID", "The parent '%s' is %s.".formatted(id, parent.state(now)));
        }
        if (size < parent.volumeSizeGib) {
            throw EbsException.invalid(
                    "INVALID_VOLUME_SIZE",
                    "VolumeSize %d is below the parent's %d".formatted(size, parent.volumeSizeGib));
        }
        return parent;
    }

    private FakeSnapshot begin(Start start, int notFoundCalls) {
        String id = region.newId("snap-");
        FakeSnapshot parent = start.parent();
        var birth = new FakeSnapshot.Birth(
                id,
                region.accountId,
                AwsRegion.NO_VOLUME,
                start.sizeGib(),
                Objects.requireNonNullElse(text(start.body(), "Description"), ""),
                parent == null ? new Lineage(id) : parent.lineage,
                parent == null ? Collections.emptyNavigableMap() : parent.content);
        var tags = new TreeMap<String, String>();
        for (var tag : start.body().path("Tags")) {
            tags.put(tag.path("Key").asText(), tag.path("Value").asText());
        }
        var snapshot = new FakeSnapshot(birth, start.encryption(), region.now(), Instant.MAX, tags);
        snapshot.upload = new EbsUpload(start.timeout(), region.now(), notFoundCalls);
        region.snapshots.put(id, snapshot);
        return snapshot;
    }

    private ObjectNode answer(FakeSnapshot snapshot, @Nullable String parentId) {
        ObjectNode body = EbsDirect.JSON
                .createObjectNode()
                .put("SnapshotId", snapshot.id)
                .put("OwnerId", snapshot.ownerId)
                .put("Status", snapshot.state(region.now()))
                .put("StartTime", EbsDirect.seconds(snapshot.startTime))
                .put("VolumeSize", snapshot.volumeSizeGib)
                .put("BlockSize", SparseBlocks.BLOCK_BYTES);
        if (!snapshot.description.isEmpty()) {
            body.put("Description", snapshot.description);
        }
        if (parentId != null) {
            body.put("ParentSnapshotId", parentId);
        }
        if (snapshot.kmsKeyId != null) {
            body.put("KmsKeyArn", snapshot.kmsKeyId);
        }
        var tags = body.putArray("Tags");
        snapshot.tags.forEach((key, value) -> tags.addObject().put("Key", key).put("Value", value));
        return body;
    }

    HttpAnswer put(EbsCall call) throws EbsException {
        HttpRequest request = call.request();
        int length = EbsCall.number(request.header("x-amz-data-length"), -1);
        if (length != SparseBlocks.BLOCK_BYTES || request.body.length != length) {
            throw EbsException.invalid(
                    "INVALID_PARAMETER_VALUE",
                    "x-amz-Data-Length is %d, the body %d bytes; both must be 524288"
                            .formatted(length, request.body.length));
        }
        byte[] sha256 = EbsDigests.of(request.body);
        String checksum = Base64.getEncoder().encodeToString(sha256);
        FakeSnapshot snapshot;
        EbsUpload upload;
        Instant now;
        region.lock.lock();
        try {
            snapshot = writable(call);
            upload = Objects.requireNonNull(snapshot.upload);
            now = region.now();
            if (call.blockIndex() >= (long) snapshot.volumeSizeGib * BLOCKS_PER_GIB) {
                throw EbsException.invalid("INVALID_BLOCK", "The block lies past the end of the volume.");
            }
            if (!checksum.equals(request.header("x-amz-checksum"))) {
                throw EbsException.invalid(
                        "INVALID_PARAMETER_VALUE", "The checksum of the block is %s.".formatted(checksum));
            }
            byte[] bytes = shared(checksum, request.body);
            int progress = EbsCall.number(request.header("x-amz-progress"), 0);
            upload.put(call.blockIndex(), new Written(bytes, sha256), now, progress);
        } finally {
            region.lock.unlock();
        }
        return new HttpAnswer(
                201,
                "application/json",
                Map.of("x-amz-Checksum", checksum, "x-amz-Checksum-Algorithm", "SHA256"),
                new byte[0]);
    }

    HttpAnswer complete(EbsCall call) throws EbsException {
        HttpRequest request = call.request();
        int count = EbsCall.number(request.header("x-amz-changedblockscount"), -1);
        String checksum = request.header("x-amz-checksum");
        String method = request.header("x-amz-checksum-aggregation-method");
        if (checksum != null && !"LINEAR".equals(method)) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "a checksum needs the aggregation method LINEAR");
        }
        region.lock.lock();
        try {
            FakeSnapshot sealed = region.snapshot(call.snapshotId());
            if (sealed != null && sealed.upload != null && !sealed.endsAt.equals(Instant.MAX)) {
                return status(sealed);
            }
            FakeSnapshot snapshot = writable(call);
            EbsUpload upload = Objects.requireNonNull(snapshot.upload);
            if (count != upload.count()) {
                throw EbsException.invalid(
                        "INVALID_PARAMETER_VALUE",
                        "ChangedBlocksCount is %d, %d blocks were written".formatted(count, upload.count()));
            }
            if (checksum != null && !checksum.equals(Base64.getEncoder().encodeToString(upload.linearChecksum()))) {
                throw EbsException.invalid("INVALID_PARAMETER_VALUE", "The checksum of the snapshot is another one.");
            }
            seal(snapshot, upload);
            return status(snapshot);
        } finally {
            region.lock.unlock();
        }
    }

    private void seal(FakeSnapshot snapshot, EbsUpload upload) {
        snapshot.content = Collections.unmodifiableNavigableMap(upload.over(snapshot.content));
        snapshot.endsAt = region.now().plus(region.settings.takes());
        Fault ending = endings.remove(snapshot.id);
        if (ending == Fault.STUCK) {
            snapshot.endsAt = snapshot.endsAt.plus(STUCK_FOR);
        } else if (ending == Fault.END_IN_ERROR) {
            snapshot.errorMessage = "An internal error occurred";
        }
        upload.sealed();
    }

    private HttpAnswer status(FakeSnapshot snapshot) {
        return EbsDirect.json(202, EbsDirect.JSON.createObjectNode().put("Status", snapshot.state(region.now())));
    }

    /** A snapshot that is still being written; the lock is held. */
    private FakeSnapshot writable(EbsCall call) throws EbsException {
        FakeSnapshot snapshot = region.snapshot(call.snapshotId());
        if (snapshot == null || !snapshot.ownerId.equals(region.accountId)) {
            throw EbsException.notFound(call.snapshotId());
        }
        EbsUpload upload = snapshot.upload;
        if (upload == null || !snapshot.endsAt.equals(Instant.MAX)) {
            throw EbsException.invalid(
                    "INVALID_SNAPSHOT_ID", "The snapshot '%s' is not being written.".formatted(snapshot.id));
        }
        if (upload.notFoundYet()) {
            throw EbsException.notFound(snapshot.id);
        }
        if (upload.expired(region.now())) {
            throw EbsException.invalid(
                    "WRITE_REQUEST_TIMEOUT", "The snapshot '%s' was cancelled at its timeout.".formatted(snapshot.id));
        }
        return snapshot;
    }

    private byte[] shared(String checksum, byte[] block) {
        WeakReference<byte[]> reference = known.get(checksum);
        byte[] present = reference == null ? null : reference.get();
        if (present != null) {
            return present;
        }
        known.put(checksum, new WeakReference<>(block));
        return block;
    }

    private static JsonNode body(HttpRequest request) throws EbsException {
        try {
            return EbsDirect.JSON.readTree(new String(request.body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "The body is not JSON.");
        }
    }

    /** The request without its token, in an order of its own, to compare with another one. */
    private static String parameters(JsonNode body) {
        var fields = new TreeMap<String, String>();
        body.properties()
                .forEach(field -> fields.put(field.getKey(), field.getValue().toString()));
        fields.remove("ClientToken");
        return fields.toString();
    }

    private static @Nullable String text(JsonNode body, String field) {
        return body.hasNonNull(field) ? body.get(field).asText() : null;
    }
}
