package io.tidemark.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Calls the HTTP API of one site. Stands on {@link HttpURLConnection}: the newer client costs 70 ms more at start and
 * 300 ms more at exit.
 */
public final class SiteClient {
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
    /** The slowest synchronous calls make a volume on the peer as well. */
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
    /** A page of 200 recovery points with their evidence stays far below. */
    private static final int ANSWER_MAXIMUM_BYTES = 64 << 20;

    private static final int TOKEN_MAXIMUM_BYTES = 4096;
    private static final int PAGE_ITEMS = 200;
    private static final int SHOWN_CHARACTERS = 80;

    private final URI base;
    private final Optional<Path> tokenFile;
    private final Optional<Path> authorityFile;
    private @Nullable SSLSocketFactory sockets;

    /**
     * @param base {@code http://} or {@code https://}, host and port
     * @param tokenFile holds the bearer token; empty: only what needs no token can be asked
     * @param authorityFile PEM certificates to trust instead of the system's
     */
    public SiteClient(URI base, Optional<Path> tokenFile, Optional<Path> authorityFile) {
        this.base = base;
        this.tokenFile = tokenFile;
        this.authorityFile = authorityFile;
    }

    /** @throws ClientException Unusable when the text is no address of a site */
    public static URI address(String text) throws ClientException {
        try {
            var uri = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (web && uri.getHost() != null && uri.getRawQuery() == null && uri.getUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new ClientException(notAnAddress(text), e);
        }
        throw new ClientException(notAnAddress(text));
    }

    private static ClientError notAnAddress(String text) {
        return new ClientError.Unusable(
                "not an address of a site: " + text, "write it like http://127.0.0.1:7420 or https://host:7420");
    }

    /** One path segment, percent-encoded. */
    public static String segment(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    public URI base() {
        return base;
    }

    public Json get(String path) throws ClientException {
        return call("GET", path, null);
    }

    public Json post(String path, Map<String, ?> body) throws ClientException {
        return call("POST", path, Json.of(body));
    }

    /** For requests that say everything by their path. */
    public Json post(String path) throws ClientException {
        return call("POST", path, null);
    }

    public Json put(String path, Map<String, ?> body) throws ClientException {
        return call("PUT", path, Json.of(body));
    }

    public Json delete(String path) throws ClientException {
        return call("DELETE", path, null);
    }

    /**
     * The items of a list, page by page.
     *
     * @param path may have a query
     * @param maximum most items to fetch
     */
    public List<Json> list(String path, int maximum) throws ClientException {
        return list(path, maximum, (part, reason) -> {});
    }

    /**
     * As {@link #list(String, int)}, of what several providers and hosts have.
     *
     * @param unlisted told of each provider or agent that is missing, once for each page; and why
     */
    public List<Json> list(String path, int maximum, BiConsumer<String, String> unlisted) throws ClientException {
        List<Json> items = new ArrayList<>();
        String cursor = "";
        do {
            int limit = Math.min(PAGE_ITEMS, maximum - items.size());
            var page = get(path + (path.contains("?") ? "&" : "?") + "limit=" + limit
                    + (cursor.isEmpty() ? "" : "&cursor=" + segment(cursor)));
            items.addAll(page.at("items").items());
            page.at("unlisted")
                    .items()
                    .forEach(each ->
                            unlisted.accept(part(each), each.at("reason").text()));
            cursor = page.at("nextCursor").text();
        } while (!cursor.isEmpty() && items.size() < maximum);
        return items;
    }

    private static String part(Json unlisted) {
        var agent = unlisted.at("agent").text();
        return agent.isEmpty() ? "provider " + unlisted.at("provider").text() : "agent " + agent;
    }

    private Json call(String method, String path, @Nullable Json body) throws ClientException {
        var uri = URI.create(base + path);
        try {
            var connection = open(uri);
            connection.setRequestMethod(method);
            connection.setRequestProperty("Accept", "application/json, application/problem+json");
            token().ifPresent(token -> connection.setRequestProperty("Authorization", "Bearer " + token));
            if (method.equals("POST")) {
                connection.setRequestProperty("Idempotency-Key", freshKey());
            }
            if (body != null) {
                send(connection, body);
            }
            return answer(uri, connection);
        } catch (IOException e) {
            throw new ClientException(new ClientError.Unreachable(base, reason(e)), e);
        }
    }

    private HttpURLConnection open(URI uri) throws IOException, ClientException {
        var connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setConnectTimeout((int) CONNECT_LIMIT.toMillis());
        connection.setReadTimeout((int) ANSWER_LIMIT.toMillis());
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        if (connection instanceof HttpsURLConnection secure && authorityFile.isPresent()) {
            if (sockets == null) {
                sockets = TrustedAuthority.sockets(authorityFile.orElseThrow());
            }
            secure.setSSLSocketFactory(sockets);
        }
        return connection;
    }

    private static void send(HttpURLConnection connection, Json body) throws IOException {
        byte[] bytes = body.compact().getBytes(StandardCharsets.UTF_8);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(bytes.length);
        try (var out = connection.getOutputStream()) {
            out.write(bytes);
        }
    }

    private Json answer(URI uri, HttpURLConnection connection) throws IOException, ClientException {
        int status = connection.getResponseCode();
        String text = text(uri, status, connection);
        var json = parse(uri, status, text);
        if (status >= 200 && status < 300) {
            return json;
        }
        if (status >= 400 && (json.isObject() || text.isBlank())) {
            String title = json.at("title").optional().orElse("the site answered with status " + status);
            throw new ClientException(new ClientError.Refused(
                    status,
                    title,
                    json.at("detail").text(),
                    advice(status, json.at("advice").text())));
        }
        throw unintelligible(uri, status, text);
    }

    private String advice(int status, String given) {
        if (status == HttpURLConnection.HTTP_UNAUTHORIZED && tokenFile.isEmpty()) {
            return "name the file that holds your token with --token-file or TIDEMARK_TOKEN_FILE";
        }
        return given;
    }

    /** An error's body comes through the other stream, and there may be none. */
    private static InputStream body(int status, HttpURLConnection connection) throws IOException {
        @Nullable InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream();
        return in == null ? InputStream.nullInputStream() : in;
    }

    private static String text(URI uri, int status, HttpURLConnection connection) throws IOException, ClientException {
        try (var in = body(status, connection)) {
            byte[] bytes = in.readNBytes(ANSWER_MAXIMUM_BYTES + 1);
            if (bytes.length > ANSWER_MAXIMUM_BYTES) {
                throw unintelligible(uri, status, "more than %d bytes".formatted(ANSWER_MAXIMUM_BYTES));
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    private static Json parse(URI uri, int status, String text) throws ClientException {
        if (text.isBlank()) {
            return Json.of(null);
        }
        try {
            return Json.parse(text);
        } catch (IOException e) {
            throw unintelligible(uri, status, text);
        }
    }

    private static ClientException unintelligible(URI uri, int status, String text) {
        String shown = text.strip().lines().findFirst().orElse("nothing");
        String cut = shown.length() > SHOWN_CHARACTERS ? shown.substring(0, SHOWN_CHARACTERS) + "…" : shown;
        return new ClientException(new ClientError.Unintelligible(uri, status, cut));
    }

    private Optional<String> token() throws ClientException {
        if (tokenFile.isEmpty()) {
            return Optional.empty();
        }
        if (base.getScheme().equals("http") && !isLoopback(base.getHost())) {
            throw new ClientException(new ClientError.Unusable(
                    "a token would cross the network in clear text to " + base, "use the site's https:// address"));
        }
        return Optional.of(readToken(tokenFile.get()));
    }

    private static String readToken(Path file) throws ClientException {
        try (var in = Files.newInputStream(file)) {
            String token = new String(in.readNBytes(TOKEN_MAXIMUM_BYTES + 1), StandardCharsets.UTF_8).strip();
            boolean sound = !token.isEmpty()
                    && token.length() <= TOKEN_MAXIMUM_BYTES
                    && token.chars().allMatch(c -> c > ' ' && c < 127);
            if (sound) {
                return token;
            }
        } catch (IOException e) {
            throw new ClientException(noToken(file, reason(e)), e);
        }
        throw new ClientException(noToken(file, "it does not hold one token on one line"));
    }

    private static ClientError noToken(Path file, String why) {
        return new ClientError.Unusable(
                "token file %s cannot be used: %s".formatted(file, why),
                "a site writes the first one to admin.token in its state folder");
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static String freshKey() {
        byte[] bytes = new byte[16];
        ThreadLocalRandom.current().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** Exceptions of the file system have the path as their whole message. */
    static String reason(IOException e) {
        String kind = e.getClass().getSimpleName().replace("Exception", "");
        return e.getMessage() == null ? kind : kind.equals("IO") ? e.getMessage() : kind + ": " + e.getMessage();
    }
}
