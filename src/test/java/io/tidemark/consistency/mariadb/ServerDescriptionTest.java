package io.tidemark.consistency.mariadb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerDescriptionTest {

    private static ServerDescription server(String version, Map<String, String> more) {
        var variables = new HashMap<>(more);
        variables.put("version", version);
        return new ServerDescription(variables, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.6.22-MariaDB", "10.11.19-MariaDB-0+deb12u1-log", "11.4.2-MariaDB", "12.1.2-MariaDB"})
    void supportedVersionIsFit(String version) {
        assertThat(server(version, Map.of()).unfit()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.5.29-MariaDB,supported are 10.6 to 12",
        "13.0.1-MariaDB,supported are 10.6 to 12",
        "MariaDB,supported are 10.6 to 12",
        "8.0.36,MySQL is frozen by kind mysql",
    })
    void otherVersionIsNamedWithWhatIsSupported(String version, String expected) {
        assertThat(server(version, Map.of()).unfit())
                .hasValueSatisfying(
                        reason -> assertThat(reason).contains(version).contains(expected));
    }

    @Test
    void serverThatNamesItselfInItsCommentAloneIsMariaDb() {
        assertThat(server("10.11.6", Map.of("version_comment", "MariaDB Server"))
                        .unfit())
                .isEmpty();
    }

    @Test
    void nodeOfAClusterIsRefused() {
        assertThat(server("10.11.6-MariaDB", Map.of("wsrep_on", "ON")).unfit())
                .hasValueSatisfying(reason -> assertThat(reason).contains("wsrep_on"));
    }

    @Test
    void positionsAreHiddenOnlyWhereThereIsABinaryLog() {
        assertThat(server("10.6.1-MariaDB", Map.of("log_bin", "ON")).hidesPositions())
                .isTrue();
        assertThat(server("10.6.1-MariaDB", Map.of("log_bin", "OFF")).hidesPositions())
                .isFalse();
    }
}
