package io.tidemark.provider.azure;

import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpMethod;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.util.Context;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import reactor.core.Exceptions;

/**
 * What is asked of a page blob through a signature: its bytes, which pages it has, and to write some. Not by the SDK's
 * client of blobs, whose lists of pages lost entries where both kinds stand among each other (azure-sdk-for-java, issue
 * 15414), and which these calls do not need: nothing is signed.
 */
final class BlobCalls {
    /** Of a read at once. */
    static final int CHUNK_BYTES = 4 << 20;
    /** "Get Page Ranges": what a page holds at most. */
    private static final int RANGES_MAXIMUM = 10_000;

    /** A version that knows maxresults and marker (2020-10-02 and later). */
    private static final String VERSION = "2021-12-02";

    private static final HttpHeaderName VERSION_HEADER = HttpHeaderName.fromString("x-ms-version");
    private static final HttpHeaderName RANGE_HEADER = HttpHeaderName.fromString("x-ms-range");
    private static final HttpHeaderName PREVIOUS_HEADER = HttpHeaderName.fromString("x-ms-previous-snapshot-url");
    private static final HttpHeaderName CODE_HEADER = HttpHeaderName.fromString("x-ms-error-code");
    private static final HttpHeaderName PAGE_WRITE_HEADER = HttpHeaderName.fromString("x-ms-page-write");
    private static final int OK = 200;
    private static final int CREATED = 201;
    private static final int PARTIAL = 206;
    private static final int FORBIDDEN = 403;
    private static final int SERVER_ERROR = 500;

    private final AzureClients clients;
    private final Attempts attempts;

    /** The signature opens nothing any more. */
    static final class Refused extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;
    }

    BlobCalls(AzureClients clients, Attempts attempts) {
        this.clients = clients;
        this.attempts = attempts;
    }

    byte[] bytes(URI address, long offsetBytes, int lengthBytes) throws ProviderException, Refused {
        var asked = "bytes %d to %d".formatted(offsetBytes, offsetBytes + lengthBytes - 1);
        var request = request(address.toString());
        request.setHeader(RANGE_HEADER, "bytes=%d-%d".formatted(offsetBytes, offsetBytes + lengthBytes - 1));
        var bytes = answer(asked, request, PARTIAL);
        if (bytes.length != lengthBytes) {
            throw new ProviderException(
                    new ProviderError.Unexpected(asked, "%d bytes, not %d".formatted(bytes.length, lengthBytes)));
        }
        return bytes;
    }

    /**
     * One page of ranges.
     *
     * @param previous address of an older snapshot of the same family: what has changed since is listed, what was
     *     cleared too
     * @param marker of the page before
     */
    PageListXml ranges(URI address, Optional<URI> previous, Optional<String> marker) throws ProviderException, Refused {
        var asked = "the list of pages";
        var request = request("%s&comp=pagelist&maxresults=%d%s"
                .formatted(
                        address,
                        RANGES_MAXIMUM,
                        marker.map(each -> "&marker=" + each).orElse("")));
        previous.ifPresent(each -> request.setHeader(PREVIOUS_HEADER, each.toString()));
        return PageListXml.parse(asked, answer(asked, request, OK));
    }

    /** Pages, whole: at most {@link #CHUNK_BYTES}. What Azure has answered for is durable ("Put Page"). */
    void put(URI address, long offsetBytes, byte[] pages) throws ProviderException, Refused {
        change(address, "update", offsetBytes, pages.length, Optional.of(pages));
    }

    /** Pages, whole, of any number ("Put Page": a page clear operation). */
    void clear(URI address, long offsetBytes, long lengthBytes) throws ProviderException, Refused {
        change(address, "clear", offsetBytes, lengthBytes, Optional.empty());
    }

    private void change(URI address, String how, long offsetBytes, long lengthBytes, Optional<byte[]> pages)
            throws ProviderException, Refused {
        long last = offsetBytes + lengthBytes - 1;
        var request = new HttpRequest(HttpMethod.PUT, address + "&comp=page")
                .setHeader(VERSION_HEADER, VERSION)
                .setHeader(RANGE_HEADER, "bytes=%d-%d".formatted(offsetBytes, last))
                .setHeader(PAGE_WRITE_HEADER, how)
                .setHeader(
                        HttpHeaderName.CONTENT_LENGTH,
                        String.valueOf(pages.map(each -> each.length).orElse(0)));
        pages.ifPresent(each -> request.setHeader(HttpHeaderName.CONTENT_TYPE, "application/octet-stream")
                .setBody(each));
        var unused = answer("pages %d to %d".formatted(offsetBytes, last), request, CREATED);
    }

    private static HttpRequest request(String address) {
        return new HttpRequest(HttpMethod.GET, address).setHeader(VERSION_HEADER, VERSION);
    }

    private byte[] answer(String asked, HttpRequest request, int wanted) throws ProviderException, Refused {
        var heard = attempts.until(() -> {
            try (var response = clients.blobs().sendSync(request.copy(), Context.NONE)) {
                if (response.getStatusCode() == FORBIDDEN) {
                    return Optional.<byte[]>empty();
                }
                if (response.getStatusCode() != wanted) {
                    throw new ProviderException(error(asked, response));
                }
                var body = response.getBodyAsByteArray().block();
                return Optional.of(body == null ? new byte[0] : body);
            } catch (RuntimeException e) {
                var cause = Exceptions.unwrap(e);
                if (cause instanceof IOException || cause instanceof UncheckedIOException) {
                    throw new ProviderException(
                            new ProviderError.Unreachable("Azure, for " + asked, String.valueOf(cause.getMessage())),
                            e);
                }
                throw e;
            }
        });
        return heard.orElseThrow(Refused::new);
    }

    private static ProviderError error(String asked, HttpResponse response) {
        int status = response.getStatusCode();
        var said = "HTTP %d %s".formatted(status, response.getHeaders().getValue(CODE_HEADER));
        if (status == 503 || status == AzureFailures.THROTTLED) {
            return new ProviderError.Busy(asked, "Azure Storage (%s)".formatted(said), Duration.ofSeconds(1));
        }
        return status >= SERVER_ERROR
                ? new ProviderError.Unreachable("Azure Storage, for " + asked, said)
                : new ProviderError.Unexpected(asked, said);
    }
}
