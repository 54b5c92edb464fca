package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Marks the handles of long work that an agent gives out, so that it goes on with nothing but what it began itself. What
 * the work is done to is under the seal, so that the rules can be asked again. As text: the seal, 0 for work that keeps, 1
 * and the process for work that overwrites or the name of a rare ability, the volume, and the provider's own token, with {@code #} between them.
 */
final class HandleSeal {
    private static final String ALGORITHM = "HmacSHA256";
    private static final char BETWEEN = '#';
    private static final String OVERWRITES = "1";
    private static final String KEEPS = "0";
    private static final int PARTS = 4;
    private static final int PROCESS_BYTES = 8;

    private final SecretKeySpec key;
    /** Told apart from an earlier process of this agent. */
    private final String process;

    /**
     * A handle as its provider knows it.
     *
     * @param volume what it is done to
     * @param overwrites whether what the volume holds is lost by it
     * @param ended whether it overwrites and the process that was given it has ended: the storage may begin it anew, over
     *     what was written since, or may never have begun it
     * @param ability whose work it is
     */
    record Opened(Handle handle, VolumeId volume, boolean overwrites, boolean ended, Optional<AgentAbility> ability) {}

    /** @param key the agent's; it is not used itself, only what is derived from it for this purpose */
    HandleSeal(PrivateKey key, RandomGenerator random) {
        byte[] bytes = new byte[PROCESS_BYTES];
        random.nextBytes(bytes);
        this.process = HexFormat.of().formatHex(bytes);
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update("tidemark agent handles 2".getBytes(StandardCharsets.US_ASCII));
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

    Step<?> sealed(Step<?> step, VolumeId volume, boolean overwrites) {
        return sealed(step, volume, overwrites ? OVERWRITES + process : KEEPS);
    }

    /** Of work of a rare ability. */
    Step<?> sealed(Step<?> step, VolumeId volume, AgentAbility ability) {
        return sealed(step, volume, ability.name());
    }

    private Step<?> sealed(Step<?> step, VolumeId volume, String kind) {
        if (step instanceof Step.Running<?>(var handle, var progress, var again)) {
            var work = kind + BETWEEN + volume.value() + BETWEEN + handle.token();
            var token = seal(handle.provider(), work) + BETWEEN + work;
            return new Step.Running<>(new Handle(handle.provider(), token), progress, again);
        }
        return step;
    }

    /** @throws ProviderException Denied where this agent, as this software, has not given it out */
    Opened opened(Handle handle) throws ProviderException {
        var parts = handle.token().split(String.valueOf(BETWEEN), PARTS);
        if (parts.length == PARTS && !parts[PARTS - 1].isEmpty()) {
            var work = handle.token().substring(parts[0].length() + 1);
            var told = parts[0].getBytes(StandardCharsets.UTF_8);
            var right = seal(handle.provider(), work).getBytes(StandardCharsets.UTF_8);
            if (MessageDigest.isEqual(told, right)) {
                boolean overwrites = parts[1].startsWith(OVERWRITES);
                return new Opened(
                        new Handle(handle.provider(), parts[PARTS - 1]),
                        new VolumeId(parts[2]),
                        overwrites,
                        overwrites && !parts[1].equals(OVERWRITES + process),
                        Arrays.stream(AgentAbility.values())
                                .filter(each -> each.name().equals(parts[1]))
                                .findFirst());
            }
        }
        throw new ProviderException(
                new ProviderError.Denied("going on with long work", "a handle that this agent has given out"));
    }
}
