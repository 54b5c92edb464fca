package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.CallKind;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.azure.AzureState.Access;
import io.tidemark.provider.fakecloud.azure.AzureState.Blob;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The page blobs that access signatures open: ranged reads, lists of pages, and pages written to a disk of an upload.
 */
final class PageBlobs {
    static final String CONTAINER = "md-fake";
    static final int TRANSFER_BYTES_MAXIMUM = 4 << 20;
    private static final int PAGES_MAXIMUM = 10_000;
    private static final String XML = "application/xml";
    private static final Pattern RANGE = Pattern.compile("bytes=([0-9]{1,18})-([0-9]{1,18})");
    private static final int FORBIDDEN = 403;
    /** Of two snapshots on either side of it no difference is told. */
    private static final long CROSSED_BYTES = 4L << 40;

    private final AzureState state;

    PageBlobs(AzureState state) {
        this.state = state;
    }

    static boolean isOne(HttpRequest request) {
        return request.path.startsWith("/" + CONTAINER + "/");
    }

    static String operation(HttpRequest request) {
        var component = request.queryFields().getOrDefault("comp", "");
        if (request.method.equals("PUT") && component.equals("page")) {
            return "clear".equals(request.header("x-ms-page-write")) ? "PageBlob_ClearPages" : "PageBlob_UploadPages";
        }
        if (request.method.equals("GET") && component.equals("pagelist")) {
            return request.header("x-ms-previous-snapshot-url") == null
                    ? "PageBlob_GetPageRanges"
                    : "PageBlob_GetPageRangesDiff";
        }
        return request.method.equals("GET") && component.isEmpty() ? "Blob_Download" : "Blob_" + request.method;
    }

    static CallKind kind(String operation) {
        return switch (operation) {
            case "PageBlob_UploadPages", "PageBlob_ClearPages" -> CallKind.CHANGE;
            case "PageBlob_GetPageRanges", "PageBlob_GetPageRangesDiff" -> CallKind.LIST;
            default -> CallKind.READ;
        };
    }

    static HttpAnswer error(int status, String code) {
        return HttpAnswer.text(
                status,
                XML,
                Map.of("x-ms-error-code", code),
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s</Message></Error>"
                        .formatted(code, code));
    }

    HttpAnswer answer(String operation, HttpRequest request, Fault fault) {
        Access access;
        @Nullable Access previous;
        state.lock.lock();
        try {
            if (fault == Fault.EXPIRE_TOKEN) {
                state.accesses.remove(signature(request.queryFields()));
            }
            access = active(request.queryFields());
            var url = request.header("x-ms-previous-snapshot-url");
            previous = url == null
                    ? null
                    : active(HttpRequest.fields(String.valueOf(URI.create(url).getRawQuery())));
            if (access == null || access.blob.isPrivate() || (url != null && previous == null)) {
                return error(FORBIDDEN, "AuthorizationFailure");
            }
            if (operation.equals("PageBlob_UploadPages") || operation.equals("PageBlob_ClearPages")) {
                return write(operation, access, request);
            }
        } finally {
            state.lock.unlock();
        }
        var blob = access.blob.upload() == null ? access.blob : now(access.blob);
        return switch (operation) {
            case "Blob_Download" -> download(blob, request);
            case "PageBlob_GetPageRanges" -> list(access.blob, null, request, fault);
            case "PageBlob_GetPageRangesDiff" -> diff(access, previous, request, fault);
            default -> error(400, "UnsupportedHttpVerb");
        };
    }

    /** Of what is being uploaded: with what has come since the signature was given. */
    private Blob now(Blob blob) {
        state.lock.lock();
        try {
            var disk = blob.upload();
            return disk == null
                    ? blob
                    : new Blob(blob.sizeBytes(), disk.content.freeze(), blob.takenAt(), disk, blob.isPrivate());
        } finally {
            state.lock.unlock();
        }
    }

    private static String signature(Map<String, String> query) {
        return query.getOrDefault("sig", "");
    }

    private @Nullable Access active(Map<String, String> query) {
        var access = state.accesses.get(signature(query));
        return access != null && state.now().isBefore(access.expiresAt) ? access : null;
    }

    private static HttpAnswer download(Blob blob, HttpRequest request) {
        var range = range(request);
        if (range == null || range.last() >= blob.sizeBytes() || range.first() > range.last()) {
            return error(416, "InvalidRange");
        }
        long length = range.last() - range.first() + 1;
        if (length > TRANSFER_BYTES_MAXIMUM) {
            return error(400, "OutOfRangeInput");
        }
        var headers = new LinkedHashMap<String, String>();
        headers.put("Content-Range", "bytes %d-%d/%d".formatted(range.first(), range.last(), blob.sizeBytes()));
        headers.put("x-ms-blob-type", "PageBlob");
        return new HttpAnswer(
                206,
                "application/octet-stream",
                headers,
                SparseBlocks.read(blob.content(), range.first(), Math.toIntExact(length)));
    }

    private record Range(long first, long last) {}

    private static @Nullable Range range(HttpRequest request) {
        var text = request.headers.getOrDefault("x-ms-range", request.headers.getOrDefault("range", ""));
        var matched = RANGE.matcher(text);
        return matched.matches() ? new Range(Long.parseLong(matched.group(1)), Long.parseLong(matched.group(2))) : null;
    }

    private static HttpAnswer diff(Access access, @Nullable Access previous, HttpRequest request, Fault fault) {
        if (previous == null || !previous.family.equals(access.family)) {
            return error(409, "PreviousSnapshotNotFound");
        }
        if (previous.blob.takenAt().isAfter(access.blob.takenAt())) {
            return error(409, "PreviousSnapshotCannotBeNewer");
        }
        boolean wasSmall = previous.blob.sizeBytes() <= CROSSED_BYTES;
        boolean isSmall = access.blob.sizeBytes() <= CROSSED_BYTES;
        if (wasSmall != isSmall) {
            return error(409, "PreviousSnapshotOperationNotSupported");
        }
        return list(access.blob, previous.blob, request, fault);
    }

    private static HttpAnswer list(Blob blob, @Nullable Blob previous, HttpRequest request, Fault fault) {
        var query = request.queryFields();
        var asked = query.getOrDefault("maxresults", String.valueOf(PAGES_MAXIMUM));
        if (!asked.matches("[1-9][0-9]{0,4}") || Integer.parseInt(asked) > PAGES_MAXIMUM) {
            return error(400, "OutOfRangeQueryParameterValue");
        }
        var marker = query.getOrDefault("marker", "");
        if (!marker.matches("[0-9]{0,18}")) {
            return error(400, "InvalidQueryParameterValue");
        }
        long from = marker.isEmpty() ? 0 : Long.parseLong(marker);
        var pages = new PageList(fault == Fault.EMPTY_PAGE ? 0 : Integer.parseInt(asked));
        pages.add(blob, previous, from);
        return HttpAnswer.text(
                200, XML, Map.of("x-ms-blob-content-length", String.valueOf(blob.sizeBytes())), pages.xml(from));
    }

    private static HttpAnswer write(String operation, Access access, HttpRequest request) {
        var range = range(request);
        var disk = access.blob.upload();
        if (disk == null) {
            return error(FORBIDDEN, "AuthorizationPermissionMismatch");
        }
        boolean isAligned = range != null && range.first() % 512 == 0 && (range.last() + 1) % 512 == 0;
        if (range == null || !isAligned || range.last() >= access.blob.sizeBytes() + ArmDisks.FOOTER_BYTES) {
            return error(416, "InvalidPageRange");
        }
        long length = range.last() - range.first() + 1;
        boolean isClear = operation.equals("PageBlob_ClearPages");
        boolean isTooLarge = !isClear && (length > TRANSFER_BYTES_MAXIMUM || length != request.body.length);
        if (isTooLarge) {
            return error(413, "RequestBodyTooLarge");
        }
        long onDisk = Math.min(length, access.blob.sizeBytes() - range.first());
        if (isClear) {
            for (long at = 0; at < onDisk; at += TRANSFER_BYTES_MAXIMUM) {
                int some = Math.toIntExact(Math.min(TRANSFER_BYTES_MAXIMUM, onDisk - at));
                disk.content.write(range.first() + at, new byte[some]);
            }
        } else if (onDisk > 0) {
            disk.content.write(range.first(), java.util.Arrays.copyOf(request.body, Math.toIntExact(onDisk)));
        }
        if (!isClear && range.last() >= access.blob.sizeBytes()) {
            int from = Math.toIntExact(Math.max(0, onDisk));
            disk.footer = java.util.Arrays.copyOfRange(request.body, from, from + ArmDisks.FOOTER_BYTES);
        }
        return HttpAnswer.text(201, XML, Map.of("x-ms-blob-sequence-number", "0"), "");
    }
}
