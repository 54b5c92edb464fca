package io.tidemark.provider.azure;

import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpMethod;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.http.rest.PagedIterable;
import com.azure.core.http.rest.Response;
import com.azure.core.management.exception.ManagementException;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.core.util.FluxUtil;
import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Asks Resource Manager, one call each, never repeated here: behind the gate, with what a failure means. */
final class Arm {
    private static final HttpHeaderName OPERATION = HttpHeaderName.fromString("Azure-AsyncOperation");
    private static final int ACCEPTED = 202;
    private static final int NO_CONTENT = 204;
    /** Lists whose next page is refused again and again are no lists. */
    static final int PAGES_MAXIMUM = 10_000;

    private final AzureClients clients;
    private final ArmGate gate;

    Arm(AzureClients clients, ArmGate gate) {
        this.clients = clients;
        this.gate = gate;
    }

    AzureClients clients() {
        return clients;
    }

    ArmGate gate() {
        return gate;
    }

    /** @param next where the next page is; empty on the last. A page may be empty and not the last. */
    record Page<T>(List<T> items, Optional<String> next) {}

    /**
     * What was begun.
     *
     * @param done whether it is at its end already
     * @param existed whether there was anything to do it to
     * @param body as JSON; may be empty
     * @param operation where its end will be told
     */
    record Begun(boolean done, boolean existed, BinaryData body, Optional<URI> operation, Duration askAgain) {}

    interface Parse<T> {
        T of(JsonReader reader) throws IOException;
    }

    <T> T ask(String asked, Supplier<T> call) throws ProviderException {
        gate.pass(asked);
        try {
            return call.get();
        } catch (RuntimeException e) {
            throw failed(asked, e);
        }
    }

    /** Empty where there is none of that name, or none that is seen yet. */
    <T> Optional<T> find(String asked, Supplier<Response<T>> call) throws ProviderException {
        gate.pass(asked);
        try {
            return Optional.of(call.get().getValue());
        } catch (RuntimeException e) {
            if (AzureFailures.isNotFound(e)) {
                return Optional.empty();
            }
            throw failed(asked, e);
        }
    }

    /** Credentials are looked for before, so that nothing is in doubt where there are none. */
    Begun begin(String asked, Supplier<Mono<Response<Flux<ByteBuffer>>>> call) throws ProviderException {
        gate.pass(asked);
        requireCredentials(asked);
        try {
            var answer = call.get().block();
            if (answer == null) {
                throw new IllegalStateException("no answer to " + asked);
            }
            var body =
                    FluxUtil.collectBytesInByteBufferStream(answer.getValue()).block();
            var headers = answer.getHeaders();
            return new Begun(
                    answer.getStatusCode() != ACCEPTED,
                    answer.getStatusCode() != NO_CONTENT,
                    BinaryData.fromBytes(body == null ? new byte[0] : body),
                    Optional.ofNullable(headers.getValue(OPERATION)).map(URI::create),
                    AzureFailures.retryAfter(headers.getValue(HttpHeaderName.RETRY_AFTER)));
        } catch (RuntimeException e) {
            throw failed(asked, e);
        }
    }

    void requireCredentials(String asked) throws ProviderException {
        try {
            clients.requireCredentials();
        } catch (RuntimeException e) {
            throw new ProviderException(AzureFailures.withoutCredentials(asked), e);
        }
    }

    /** One page, the first where no next one is named. */
    <T> Page<T> page(String asked, Supplier<PagedIterable<T>> call, Optional<String> next) throws ProviderException {
        return ask(asked, () -> {
            var pages = call.get().iterableByPage(next.orElse(null)).iterator();
            if (!pages.hasNext()) {
                return new Page<>(List.of(), Optional.empty());
            }
            var page = pages.next();
            return new Page<>(
                    List.copyOf(page.getValue()),
                    Optional.ofNullable(page.getContinuationToken()).filter(each -> !each.isEmpty()));
        });
    }

    /** @return empty while it goes on; its result, of those that have one */
    Optional<byte[]> result(String asked, URI operation) throws ProviderException {
        return ask(asked, () -> {
            try (var told = get(operation)) {
                var status = told.getBodyAsByteArray().block();
                var state = parsed(status == null ? new byte[0] : status, Arm::stateOf);
                if (state.equals("InProgress")) {
                    return Optional.<byte[]>empty();
                }
                if (!state.equals("Succeeded")) {
                    throw new ManagementException("the operation ended as " + state, told, null);
                }
            }
            try (var told = get(URI.create(operation + "&monitor=true"))) {
                var body = told.getBodyAsByteArray().block();
                return Optional.of(body == null ? new byte[0] : body);
            }
        });
    }

    /** What an address answers, of a service that has no client here. */
    byte[] get(String asked, URI address) throws ProviderException {
        return ask(asked, () -> {
            try (var told = get(address)) {
                var body = told.getBodyAsByteArray().block();
                return body == null ? new byte[0] : body;
            }
        });
    }

    private HttpResponse get(URI address) {
        var response = clients.management().sendSync(new HttpRequest(HttpMethod.GET, address.toString()), Context.NONE);
        if (response.getStatusCode() >= 400) {
            throw new HttpResponseException(address.getPath(), response);
        }
        return response;
    }

    private static String stateOf(JsonReader reader) throws IOException {
        return reader.readObject(fields -> {
            var state = "";
            while (fields.nextToken() != com.azure.json.JsonToken.END_OBJECT) {
                var name = fields.getFieldName();
                fields.nextToken();
                if (name.equals("status")) {
                    state = String.valueOf(fields.getString());
                } else {
                    fields.skipChildren();
                }
            }
            return state;
        });
    }

    static <T> T parsed(byte[] json, Parse<T> parse) {
        try (var reader = JsonProviders.createReader(json)) {
            return parse.of(reader);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("an answer that is no JSON", e);
        }
    }

    private ProviderException failed(String asked, RuntimeException failure) {
        var told = AzureFailures.of(asked, failure);
        if (told.error() instanceof ProviderError.Busy busy
                && failure instanceof HttpResponseException answered
                && AzureFailures.status(answered) == AzureFailures.THROTTLED) {
            gate.close(busy.retryAfter());
        }
        return told;
    }
}
