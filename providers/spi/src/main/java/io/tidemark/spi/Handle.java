package io.tidemark.spi;

/**
 * Opaque and persistable: a restarted process continues the work it stands for.
 *
 * @param token 1 to 4096 characters, meaningful to its provider alone
 */
public record Handle(String provider, String token) {
    public static final int TOKEN_CHARACTERS_MAXIMUM = 4_096;

    public Handle {
        if (token.isEmpty() || token.length() > TOKEN_CHARACTERS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "token has %d characters, 1 to %d allowed".formatted(token.length(), TOKEN_CHARACTERS_MAXIMUM));
        }
    }
}
