package io.tidemark.provider.azure;

import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpHeader;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.util.Context;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The SDK's requests to a fake without sockets; a cut connection is a failure of input as it would be there. */
final class InProcessHttp implements HttpClient {
    private final Supplier<FakeAzure> cloud;

    InProcessHttp(Supplier<FakeAzure> cloud) {
        this.cloud = cloud;
    }

    @Override
    public Mono<HttpResponse> send(HttpRequest request) {
        return Mono.fromCallable(() -> answer(request));
    }

    @Override
    public HttpResponse sendSync(HttpRequest request, Context context) {
        try {
            return answer(request);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private HttpResponse answer(HttpRequest request) throws IOException {
        var headers = new LinkedHashMap<String, String>();
        for (HttpHeader each : request.getHeaders()) {
            headers.put(each.getName().toLowerCase(Locale.ROOT), each.getValue());
        }
        var address = request.getUrl();
        headers.put("host", address.getAuthority());
        var body = request.getBodyAsBinaryData();
        var answer = cloud.get()
                .answer(new io.tidemark.provider.fakecloud.HttpRequest(
                        request.getHttpMethod().toString(),
                        address.getFile(),
                        headers,
                        body == null ? new byte[0] : body.toBytes()));
        if (answer.cut()) {
            throw new IOException("connection reset");
        }
        return new Answered(request, answer);
    }

    private static final class Answered extends HttpResponse {
        private final HttpAnswer answer;
        private final HttpHeaders headers = new HttpHeaders();

        Answered(HttpRequest request, HttpAnswer answer) {
            super(request);
            this.answer = answer;
            answer.headers.forEach((name, value) -> headers.set(HttpHeaderName.fromString(name), value));
            headers.set(HttpHeaderName.CONTENT_TYPE, answer.contentType);
            headers.set(HttpHeaderName.CONTENT_LENGTH, String.valueOf(answer.body.length));
        }

        @Override
        public int getStatusCode() {
            return answer.status;
        }

        @Override
        @Deprecated
        public @Nullable String getHeaderValue(String name) {
            return headers.getValue(HttpHeaderName.fromString(name));
        }

        @Override
        public HttpHeaders getHeaders() {
            return headers;
        }

        @Override
        public Flux<ByteBuffer> getBody() {
            return Flux.just(ByteBuffer.wrap(answer.body));
        }

        @Override
        public Mono<byte[]> getBodyAsByteArray() {
            return Mono.just(answer.body);
        }

        @Override
        public Mono<String> getBodyAsString() {
            return getBodyAsString(StandardCharsets.UTF_8);
        }

        @Override
        public Mono<String> getBodyAsString(Charset charset) {
            return Mono.just(new String(answer.body, charset));
        }

        @Override
        public HttpResponse buffer() {
            return this;
        }
    }
}
