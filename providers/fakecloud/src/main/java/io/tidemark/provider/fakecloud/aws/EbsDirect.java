package io.tidemark.provider.fakecloud.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The reading half of EBS direct of one region, and the way to the writing half. */
final class EbsDirect {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAGE_DEFAULT = 100;
    private static final int PAGE_MINIMUM = 100;
    private static final int PAGE_MAXIMUM = 10_000;

    private final AwsRegion region;
    private final EbsTokens tokens = new EbsTokens();
    private final EbsUploads uploads;
    private final Set<String> denied = ConcurrentHashMap.newKeySet();

    /** One entry of a list: its tokens, in the first and in the second snapshot. */
    private record Entry(
            int index, @Nullable String first, @Nullable String second) {}

    EbsDirect(AwsRegion region) {
        this.region = region;
        this.uploads = new EbsUploads(region);
    }

    void deny(String operation) {
        denied.add(operation);
    }

    void allow(String operation) {
        denied.remove(operation);
    }

    HttpAnswer answer(EbsCall call, Fault fault, FaultScript script) {
        if (denied.contains(call.operation())) {
            return error(403, "AccessDeniedException", "UNAUTHORIZED_ACCOUNT", "You are not authorized.");
        }
        try {
            return switch (call.operation()) {
                case "StartSnapshot" -> uploads.start(call, fault, script);
                case "PutSnapshotBlock" -> uploads.put(call);
                case "CompleteSnapshot" -> uploads.complete(call);
                case "GetSnapshotBlock" -> get(call, fault);
                case "ListSnapshotBlocks" -> listBlocks(call, fault);
                case "ListChangedBlocks" -> listChanged(call, fault);
                default -> throw new AssertionError(call.operation());
            };
        } catch (EbsException e) {
            return error(e.status, e.shape, e.reason, e.text());
        }
    }

    static HttpAnswer json(int status, ObjectNode body) {
        return HttpAnswer.text(status, "application/json", Map.of(), body.toString());
    }

    /** A time as rest-json writes it: seconds, without an exponent. */
    static BigDecimal seconds(Instant time) {
        return BigDecimal.valueOf(time.toEpochMilli(), 3);
    }

    static HttpAnswer error(int status, String shape, @Nullable String reason, String message) {
        ObjectNode body = JSON.createObjectNode().put("Message", message);
        if (reason != null) {
            body.put("Reason", reason);
        }
        return HttpAnswer.text(status, "application/json", Map.of("x-amzn-ErrorType", shape), body.toString());
    }

    private HttpAnswer get(EbsCall call, Fault fault) throws EbsException {
        String token = call.query().get("blockToken");
        if (token != null && fault == Fault.EXPIRE_TOKEN) {
            tokens.expire(token);
        }
        NavigableMap<Integer, byte[]> content = readable(call.snapshotId()).content;
        byte[] block = content.get(call.blockIndex());
        if (token == null || !tokens.validBlock(token, call.snapshotId(), call.blockIndex(), region.now())) {
            throw EbsException.invalid("INVALID_BLOCK_TOKEN", "The block token is not valid or has expired.");
        }
        if (block == null) {
            throw EbsException.invalid("INVALID_BLOCK", "The block was never written.");
        }
        byte[] sha256 = EbsDigests.of(block);
        return new HttpAnswer(
                200,
                "application/octet-stream",
                Map.of(
                        "x-amz-Data-Length", String.valueOf(block.length),
                        "x-amz-Checksum", Base64.getEncoder().encodeToString(sha256),
                        "x-amz-Checksum-Algorithm", "SHA256"),
                block);
    }

    private HttpAnswer listBlocks(EbsCall call, Fault fault) throws EbsException {
        FakeSnapshot snapshot = readable(call.snapshotId());
        Instant expires = tokens.blocksExpire(region.now());
        int start = start(call, "", fault);
        int size = size(call);
        var entries = new ArrayList<Entry>();
        if (fault != Fault.EMPTY_PAGE) {
            for (int index : snapshot.content.tailMap(start, true).keySet()) {
                entries.add(new Entry(index, null, tokens.block(snapshot.id, index, expires)));
                if (entries.size() > size) {
                    break;
                }
            }
        }
        return list(new Listing("Blocks", call, snapshot, "", expires), entries, fault, start);
    }

    private HttpAnswer listChanged(EbsCall call, Fault fault) throws EbsException {
        String firstId = call.query().get("firstSnapshotId");
        if (firstId == null) {
            throw EbsException.invalid("INVALID_SNAPSHOT_ID", "firstSnapshotId must be given");
        }
        FakeSnapshot second = readable(call.snapshotId());
        FakeSnapshot first = readable(firstId);
        if (!first.lineage.equals(second.lineage)) {
            throw EbsException.invalid("UNRELATED_SNAPSHOTS", "The snapshots are not of the same lineage.");
        }
        Instant expires = tokens.blocksExpire(region.now());
        int start = start(call, firstId, fault);
        int size = size(call);
        var entries = new ArrayList<Entry>();
        if (fault != Fault.EMPTY_PAGE) {
            var indexes = new TreeSet<>(first.content.tailMap(start, true).keySet());
            indexes.addAll(second.content.tailMap(start, true).keySet());
            for (int index : indexes) {
                byte[] older = first.content.get(index);
                byte[] newer = second.content.get(index);
                if (older != newer) {
                    entries.add(new Entry(
                            index,
                            older == null ? null : tokens.block(first.id, index, expires),
                            newer == null ? null : tokens.block(second.id, index, expires)));
                }
                if (entries.size() > size) {
                    break;
                }
            }
        }
        return list(new Listing("ChangedBlocks", call, second, firstId, expires), entries, fault, start);
    }

    /** What a list is of. */
    private record Listing(String field, EbsCall call, FakeSnapshot snapshot, String firstId, Instant expires) {}

    /** The page, of entries that are one more than it holds where another page follows. */
    private HttpAnswer list(Listing listing, List<Entry> entries, Fault fault, int start) throws EbsException {
        int size = size(listing.call());
        ObjectNode body = JSON.createObjectNode();
        ArrayNode array = body.putArray(listing.field());
        for (var entry : entries.subList(0, Math.min(size, entries.size()))) {
            ObjectNode item = array.addObject().put("BlockIndex", entry.index());
            if (listing.field().equals("Blocks")) {
                item.put("BlockToken", entry.second());
                continue;
            }
            if (entry.first() != null) {
                item.put("FirstBlockToken", entry.first());
            }
            if (entry.second() != null) {
                item.put("SecondBlockToken", entry.second());
            }
        }
        body.put("ExpiryTime", seconds(listing.expires()));
        body.put("VolumeSize", listing.snapshot().volumeSizeGib);
        body.put("BlockSize", SparseBlocks.BLOCK_BYTES);
        if (fault == Fault.EMPTY_PAGE || entries.size() > size) {
            int next = fault == Fault.EMPTY_PAGE ? start : entries.get(size).index();
            body.put("NextToken", tokens.page(question(listing.call(), listing.firstId()), next, region.now()));
        }
        return json(200, body);
    }

    private static String question(EbsCall call, String firstId) {
        return call.operation() + " " + call.snapshotId() + " " + firstId;
    }

    private int start(EbsCall call, String firstId, Fault fault) throws EbsException {
        String token = call.query().get("pageToken");
        if (token == null) {
            return EbsCall.number(call.query().get("startingBlockIndex"), 0);
        }
        if (fault == Fault.EXPIRE_TOKEN) {
            tokens.expire(token);
        }
        return tokens.pageStart(token, question(call, firstId), region.now());
    }

    private static int size(EbsCall call) throws EbsException {
        int size = EbsCall.number(call.query().get("maxResults"), PAGE_DEFAULT);
        if (size < PAGE_MINIMUM || size > PAGE_MAXIMUM) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "maxResults is not 100 to 10000: " + size);
        }
        return size;
    }

    /** A snapshot whose blocks can be read: completed, not in the archive, the account's own. */
    private FakeSnapshot readable(String id) throws EbsException {
        region.lock.lock();
        try {
            FakeSnapshot snapshot = region.snapshot(id);
            if (snapshot == null || !snapshot.ownerId.equals(region.accountId)) {
                throw EbsException.notFound(id);
            }
            Instant now = region.now();
            if (!snapshot.state(now).equals("completed")
                    || Ec2Snapshots.tier(snapshot, now).equals("archive")) {
                throw EbsException.invalid(
                        "INVALID_SNAPSHOT_ID", "The snapshot '%s' is %s.".formatted(id, snapshot.state(now)));
            }
            return snapshot;
        } finally {
            region.lock.unlock();
        }
    }
}
