package io.tidemark.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Who may use the API. A token is 256 random bits, so a plain SHA-256 of it is safe to keep, and comparing against
 * every known hash in constant time costs nothing for the few there are.
 */
public final class ApiTokens {
    private static final String PREFIX = "tdm_";
    private static final int RANDOM_BYTES = 32;
    /** Longer texts are refused unhashed. */
    private static final int TOKEN_CHARACTERS_MAXIMUM = 256;

    private final TokenStore store;
    private final SecureRandom random;
    private final InstantSource clock;
    private volatile List<TokenStore.Known> known;

    public ApiTokens(TokenStore store, SecureRandom random, InstantSource clock) {
        this.store = store;
        this.random = random;
        this.clock = clock;
        this.known = store.all();
    }

    public boolean none() {
        return known.isEmpty();
    }

    /** A new token, not known yet: {@link #register} makes it count. */
    public Secret mint() {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return new Secret(PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /** From now on the token speaks for the name; an older token of that name does not any more. */
    public synchronized void register(String name, Secret token) {
        store.add(hash(token.reveal()), name, clock.instant());
        known = store.all();
    }

    /** The name the token speaks for; takes the same time whichever known token is close to it. */
    public Optional<String> authenticate(String token) {
        if (token.length() > TOKEN_CHARACTERS_MAXIMUM) {
            return Optional.empty();
        }
        byte[] asked = hash(token).getBytes(StandardCharsets.US_ASCII);
        Optional<String> found = Optional.empty();
        for (var candidate : known) {
            if (MessageDigest.isEqual(asked, candidate.sha256Hex().getBytes(StandardCharsets.US_ASCII))) {
                found = Optional.of(candidate.name());
            }
        }
        return found;
    }

    private static String hash(String token) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java has SHA-256", impossible);
        }
    }
}
