package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Marks the handles of long work that an agent gives out, so that it goes on with nothing but what it began itself: a
 * handle names what is done, and the rules were asked when it was given out.
 */
final class HandleSeal {
    private static final String ALGORITHM = "HmacSHA256";
    private static final char BETWEEN = '#';

    private final SecretKeySpec key;

    /** @param key the agent's; it is not used itself, only what is derived from it for this purpose */
    HandleSeal(PrivateKey key) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update("tidemark agent handles".getBytes(StandardCharsets.US_ASCII));
            this.key = new SecretKeySpec(digest.digest(key.getEncoded()), ALGORITHM);
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private String seal(String provider, String token) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return HexFormat.of().formatHex(mac.doFinal((provider + BETWEEN + token).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has " + ALGORITHM, e);
        }
    }

    Step<?> sealed(Step<?> step) {
        if (step instanceof Step.Running<?>(var handle, var progress, var again)) {
            var token = seal(handle.provider(), handle.token()) + BETWEEN + handle.token();
            return new Step.Running<>(new Handle(handle.provider(), token), progress, again);
        }
        return step;
    }

    /** @throws ProviderException Denied where this agent has not given it out */
    Handle opened(Handle handle) throws ProviderException {
        int between = handle.token().indexOf(BETWEEN);
        if (between > 0 && between + 1 < handle.token().length()) {
            var token = handle.token().substring(between + 1);
            var told = handle.token().substring(0, between).getBytes(StandardCharsets.UTF_8);
            var right = seal(handle.provider(), token).getBytes(StandardCharsets.UTF_8);
            if (MessageDigest.isEqual(told, right)) {
                return new Handle(handle.provider(), token);
            }
        }
        throw new ProviderException(
                new ProviderError.Denied("going on with long work", "a handle that this agent has given out"));
    }
}
