package io.tidemark.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiTokensTest {
    private static final class Kept implements TokenStore {
        private final List<Known> known = new ArrayList<>();

        @Override
        public void add(String sha256Hex, String name, Instant createdAt) {
            known.removeIf(one -> one.name().equals(name));
            known.add(new Known(sha256Hex, name));
        }

        @Override
        public List<Known> all() {
            return List.copyOf(known);
        }
    }

    @TempDir
    Path folder;

    private final Kept kept = new Kept();

    private ApiTokens tokens() {
        return new ApiTokens(kept, new SecureRandom(), InstantSource.system());
    }

    @Test
    void aRegisteredTokenSpeaksForItsNameAndNoOtherDoes() {
        var tokens = tokens();
        var token = tokens.mint();
        tokens.register("admin", token);

        assertThat(tokens.authenticate(token.reveal())).contains("admin");
        assertThat(tokens.authenticate(token.reveal() + "x")).isEmpty();
        assertThat(tokens.authenticate("")).isEmpty();
        assertThat(tokens.authenticate(tokens.mint().reveal())).isEmpty();
    }

    @Test
    void aNewTokenOfANameEndsTheOldOne() {
        var tokens = tokens();
        var old = tokens.mint();
        tokens.register("admin", old);

        tokens.register("admin", tokens.mint());

        assertThat(tokens.authenticate(old.reveal())).isEmpty();
    }

    @Test
    void onlyHashesAreKeptAndTokensPrintAsStars() {
        var tokens = tokens();
        var token = tokens.mint();
        tokens.register("admin", token);

        assertThat(kept.known.toString()).doesNotContain(token.reveal());
        assertThat(token).hasToString("***");
        assertThat(token.reveal()).startsWith("tdm_").hasSizeGreaterThan(40);
    }

    @Test
    void theFirstStartMakesAFileThatOnlyItsOwnerCanRead() throws Exception {
        var tokens = tokens();

        var file = AdminTokenFile.ensure(folder, tokens);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(tokens.authenticate(AdminTokenFile.read(file).reveal())).contains("admin");
    }

    @Test
    void laterStartsKeepTheToken() throws Exception {
        var first = AdminTokenFile.read(AdminTokenFile.ensure(folder, tokens()));

        var second = AdminTokenFile.read(AdminTokenFile.ensure(folder, tokens()));

        assertThat(second).isEqualTo(first);
    }

    @Test
    void aFileWithoutItsHashIsMadeGoodByTheNextStart() throws Exception {
        var file = AdminTokenFile.ensure(folder, tokens());
        kept.known.clear();

        var tokens = tokens();
        AdminTokenFile.ensure(folder, tokens);

        assertThat(tokens.authenticate(AdminTokenFile.read(file).reveal())).contains("admin");
    }

    @Test
    void aFileThatWasTakenAwayStaysAway() throws Exception {
        var file = AdminTokenFile.ensure(folder, tokens());
        Files.delete(file);

        AdminTokenFile.ensure(folder, tokens());

        assertThat(file).doesNotExist();
    }
}
