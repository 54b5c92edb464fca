package io.tidemark.provider.azure;

import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.util.Context;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.RecordedExchange;
import io.tidemark.provider.fakecloud.azure.RecordedAzure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import reactor.core.publisher.Mono;

/**
 * Writes down what is asked and answered, a line of JSON an exchange, so that it can be given away: without credentials
 * and signatures, the subscription made zero, content of blobs left out.
 */
final class RecordingHttp implements HttpClient {
    private static final Set<String> SECRET = Set.of("authorization", "set-cookie", "cookie");
    private static final String SIGNATURE = "(?i)\\b(sig|si|skoid|sktid)=[^&\"\\s]*";
    private static final String NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000";

    private final HttpClient inner;
    private final Path log;
    private final String subscription;

    /** @param log begun anew */
    RecordingHttp(HttpClient inner, Path log, String subscription) throws IOException {
        this.inner = inner;
        this.log = log;
        this.subscription = subscription;
        Files.deleteIfExists(log);
    }

    @Override
    public Mono<HttpResponse> send(HttpRequest request) {
        return inner.send(request).map(HttpResponse::buffer).map(answered -> written(request, answered));
    }

    @Override
    public HttpResponse sendSync(HttpRequest request, Context context) {
        return written(request, inner.sendSync(request, context).buffer());
    }

    private HttpResponse written(HttpRequest request, HttpResponse answered) {
        var address = request.getUrl();
        var sent = request.getBodyAsBinaryData();
        var body = answered.getBodyAsByteArray().block();
        var exchange = new RecordedExchange(
                new io.tidemark.provider.fakecloud.HttpRequest(
                        request.getHttpMethod().toString(),
                        address.getFile(),
                        headers(request.getHeaders(), name -> name.toLowerCase(Locale.ROOT)),
                        sent == null ? new byte[0] : sent.toBytes()),
                new HttpAnswer(
                        answered.getStatusCode(),
                        Objects.requireNonNullElse(answered.getHeaders().getValue(HttpHeaderName.CONTENT_TYPE), ""),
                        headers(answered.getHeaders(), UnaryOperator.identity()),
                        body == null ? new byte[0] : body));
        synchronized (this) {
            try {
                exchange.append(log, this::redacted);
            } catch (IOException e) {
                throw new UncheckedIOException("log " + log, e);
            }
        }
        return answered;
    }

    private static Map<String, String> headers(HttpHeaders headers, UnaryOperator<String> called) {
        var all = new LinkedHashMap<String, String>();
        headers.stream().forEach(each -> {
            boolean isSecret = SECRET.contains(each.getName().toLowerCase(Locale.ROOT));
            all.put(called.apply(each.getName()), isSecret ? "redacted" : each.getValue());
        });
        return all;
    }

    private String redacted(String text) {
        return text.replaceAll(SIGNATURE, "$1=redacted").replaceAll("(?i)" + subscription, NO_SUBSCRIPTION);
    }

    /** What the published models find wrong in a log; only where they are at hand. */
    static List<String> violations(Path log) throws IOException {
        var found = new ArrayList<String>();
        for (var each : RecordedExchange.read(log)) {
            found.addAll(RecordedAzure.violations(each.request(), each.answer()));
        }
        return found;
    }
}
