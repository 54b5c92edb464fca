package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PasswordFileTest {
    @TempDir
    Path folder;

    private Path holding(byte... bytes) throws IOException {
        return Files.write(folder.resolve("password"), bytes);
    }

    @Test
    void passwordIsTheFirstLine() throws IOException {
        assertThat(PasswordFile.read(holding("secret \nnote\n".getBytes(java.nio.charset.StandardCharsets.UTF_8))))
                .isEqualTo("secret ");
    }

    @Test
    void fileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> PasswordFile.read(folder.resolve("gone")))
                .isInstanceOf(IOException.class)
                .hasMessage("password file %s does not exist", folder.resolve("gone"));
    }

    @Test
    void emptyFileIsNamed() {
        assertThatThrownBy(() -> PasswordFile.read(holding())).hasMessageEndingWith("password is empty");
    }

    @Test
    void fileOfAnotherKindIsNamedAndNotQuoted() {
        assertThatThrownBy(() -> PasswordFile.read(holding((byte) 0xff, (byte) 0xfe)))
                .hasMessage("password file %s is not UTF-8", folder.resolve("password"));
    }

    @Test
    void fileThatIsTooLargeForAPasswordIsNotRead() {
        assertThatThrownBy(() -> PasswordFile.read(holding(new byte[4_097])))
                .hasMessageContaining("password file " + folder.resolve("password"))
                .hasMessageContaining("larger than 4096 bytes");
    }
}
