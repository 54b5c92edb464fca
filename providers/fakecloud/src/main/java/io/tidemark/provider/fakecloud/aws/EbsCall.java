package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One call of EBS direct, as its address says.
 *
 * @param operation name in the model
 * @param kind which faults can befall it
 * @param snapshotId of the address; empty where the address has none
 * @param blockIndex of the address; -1 where the address has none
 * @param request the whole
 */
record EbsCall(String operation, CallKind kind, String snapshotId, int blockIndex, HttpRequest request) {
    private static final Pattern BLOCK = Pattern.compile("/snapshots/([^/]+)/blocks/([0-9]{1,9})");
    private static final Pattern BLOCKS = Pattern.compile("/snapshots/([^/]+)/blocks");
    private static final Pattern CHANGED = Pattern.compile("/snapshots/([^/]+)/changedblocks");
    private static final Pattern COMPLETION = Pattern.compile("/snapshots/completion/([^/]+)");

    /** What the request asks for, or nothing where it is none of the six operations. */
    static @Nullable EbsCall of(HttpRequest request) {
        String path = HttpRequest.decoded(request.path);
        if (request.method.equals("POST") && path.equals("/snapshots")) {
            return new EbsCall("StartSnapshot", CallKind.CREATE, "", -1, request);
        }
        Matcher block = BLOCK.matcher(path);
        if (block.matches()) {
            int index = Integer.parseInt(block.group(2));
            return switch (request.method) {
                case "PUT" -> new EbsCall("PutSnapshotBlock", CallKind.CHANGE, block.group(1), index, request);
                case "GET" -> new EbsCall("GetSnapshotBlock", CallKind.READ, block.group(1), index, request);
                default -> null;
            };
        }
        if (request.method.equals("POST")) {
            return of("CompleteSnapshot", CallKind.CHANGE, COMPLETION.matcher(path), request);
        }
        if (!request.method.equals("GET")) {
            return null;
        }
        EbsCall blocks = of("ListSnapshotBlocks", CallKind.LIST, BLOCKS.matcher(path), request);
        return blocks != null ? blocks : of("ListChangedBlocks", CallKind.LIST, CHANGED.matcher(path), request);
    }

    private static @Nullable EbsCall of(String operation, CallKind kind, Matcher path, HttpRequest request) {
        return path.matches() ? new EbsCall(operation, kind, path.group(1), -1, request) : null;
    }

    Map<String, String> query() {
        return request.queryFields();
    }

    /** A number of a field or header, or the other one where it is absent. */
    static int number(@Nullable String text, int absent) throws EbsException {
        try {
            return text == null ? absent : Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw EbsException.invalid("INVALID_PARAMETER_VALUE", "not a number: " + text);
        }
    }
}
