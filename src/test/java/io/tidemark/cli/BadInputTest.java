package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What was typed wrong, or answered wrong: the right exit code, a phrase that helps, and nothing asked of the site. */
class BadInputTest {
    @TempDir
    private Path folder;

    private ScriptedSite site;

    @BeforeEach
    void start() throws IOException {
        site = new ScriptedSite();
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private Typed typed(String... words) {
        var args = new java.util.ArrayList<>(List.of(words));
        args.addAll(List.of("--url", site.url()));
        return Typed.run(args.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "volume list | volumes",
                "voluems list | volumes",
                "volumes lst | list",
                "recovery-point list | recovery-points",
                "links snyc ln-1 | sync",
                "volumes list --jsn | --json",
                "volumes create image:a --sise 4GiB | --size",
                "volumes create image:a | --size",
                "volumes create image:a --size 4GB | 4GiB",
                "volumes create image:a --size 0.3B | whole number",
                "volumes create image:a --size -1 | not a size",
                "volumes create --size 1GiB | VOLUME",
                "volumes delete image:a | --yes",
                "snapshots delete image:a@rp-1 | --yes",
                "recovery-points rollback rp-1 | --yes",
                "groups create g --freeze-limit 5 | 10s",
                "groups create g --require best | APPLICATION",
                "groups create g --quiescer postgresql:host | name=value",
                "links create --peer b --group g | --volume",
                "links resync ln-1 | --yes",
                "links reverse ln-1 --unplanned | --yes",
                "links reverse ln-1 --follow | --yes",
                "links reverse ln-1 --follow --unplanned --yes | one of them",
                "links pasue ln-1 | pause",
                "links set | LINK",
                "invitations create b --valid tomorrow | 12h",
                "completion fish | ZSH",
                "volumes list --limit many | many",
                "operations watch | ID",
            })
    void aMistypedCommandLineIsAnsweredWithWhatWouldBeRight(String line, String hint) {
        var typed = typed(line.split(" "));

        assertThat(typed.exit()).as(typed.err()).isEqualTo(ExitCode.USAGE);
        assertThat(typed.err()).contains(hint);
        assertThat(site.asked()).isEmpty();
    }

    @Test
    void aNounWithoutAVerbIsAnsweredWithItsVerbs() {
        var typed = Typed.run("volumes");

        assertThat(typed.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(typed.err()).contains("subcommand");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"localhost:7420", "ftp://x", "http://", "http://u:p@localhost", "not a url", "http://h/?x=1"})
    void anAddressThatIsNoneIsRefused(String url) {
        var typed = Typed.run("volumes", "list", "--url", url);

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("not an address of a site");
    }

    @Test
    void noSiteThereIsSaidAsSuch() {
        site.close();

        var typed = typed("volumes", "list");

        assertThat(typed.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(typed.err()).contains("no answer from " + site.url()).contains("--url");
    }

    @Test
    void aTokenFileThatIsNotThereIsNamed() {
        var typed =
                typed("volumes", "list", "--token-file", folder.resolve("none").toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains(folder.resolve("none").toString());
        assertThat(site.asked()).isEmpty();
    }

    @Test
    void aTokenFileWithTwoLinesIsRefusedAndNotShown() throws IOException {
        var file = Files.writeString(folder.resolve("token"), "first-secret\nsecond-secret\n");

        var typed = typed("volumes", "list", "--token-file", file.toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("one token").doesNotContain("secret");
    }

    @Test
    void aTokenIsNotSentInClearTextAcrossANetwork() throws IOException {
        var file = Files.writeString(folder.resolve("token"), "secret");

        var typed = Typed.run("volumes", "list", "--url", "http://192.0.2.1:7420", "--token-file", file.toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("clear text").contains("https://");
    }

    @Test
    void aCertificateFileWithoutCertificatesIsRefused() throws IOException {
        var file = Files.writeString(folder.resolve("ca.pem"), "nothing here");

        var typed = Typed.run("volumes", "list", "--url", "https://127.0.0.1:1", "--ca-file", file.toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("ca.pem");
    }

    @ParameterizedTest
    @CsvSource({
        "400, 3", "401, 7", "403, 7", "404, 4", "409, 3", "412, 3", "413, 3", "422, 3", "429, 8", "500, 6", "502, 6",
        "503, 8", "507, 8"
    })
    void aProblemIsShownWithItsAdviceAndItsOwnExitCode(int status, int exit) {
        site.on("GET /v1/volumes/image%3Aa", status, """
                {"type":"x","title":"Some title","detail":"volume image:a is so","advice":"do that"}""");

        var typed = typed("volumes", "show", "image:a");

        assertThat(typed.exit()).isEqualTo(exit);
        assertThat(typed.err()).contains("volume image:a is so");
        assertThat(typed.out()).isEmpty();
    }

    @Test
    void withJsonAProblemIsJsonToo() {
        site.on("GET /v1/volumes/image%3Aa", 404, "{\"title\":\"No\",\"detail\":\"gone\",\"advice\":\"look\"}");

        var typed = typed("volumes", "show", "image:a", "--json");

        assertThat(typed.err()).contains("\"error\":\"gone\"").contains("\"exitCode\":4");
    }

    @Test
    void whatIsNoSiteIsToldApart() {
        site.on("GET /v1/volumes/image%3Aa", 200, "text/html", "<html>a router's page</html>");

        var typed = typed("volumes", "show", "image:a");

        assertThat(typed.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(typed.err()).contains("not this API").contains("<html>");
    }

    @Test
    void anAnswerNestedTooDeepIsRefused() {
        site.on("GET /v1/volumes/image%3Aa", 200, "[".repeat(500) + "]".repeat(500));

        assertThat(typed("volumes", "show", "image:a").exit()).isEqualTo(ExitCode.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "- just\n- a list", "a: 1\na: 2", "a: [", "{"})
    void aGroupFileThatHoldsNoGroupIsRefused(String text) throws IOException {
        var file = Files.writeString(folder.resolve("group.yaml"), text);

        var typed = typed("groups", "create", "g", "-f", file.toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(typed.err()).contains("group.yaml");
        assertThat(site.asked()).isEmpty();
    }

    @Test
    void anEmptyInvitationIsRefused() throws IOException {
        var file = Files.writeString(folder.resolve("invitation"), "\n");

        var typed = typed("peers", "accept", "a", "--invitation-file", file.toString());

        assertThat(typed.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(site.asked()).isEmpty();
    }
}
