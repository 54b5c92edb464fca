package io.tidemark.consistency.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.QuiescerSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MySqlSettingsTest {

    @ParameterizedTest
    @CsvSource({
        "port,0,1 to 65535",
        "passwordFile,relative,absolute",
        "longStatementMillis,99,100 to 600000",
        "serverPublicKeyFile,key.pem,absolute",
        "password,secret,not known",
    })
    void badSettingIsRefusedByName(String name, String value, String expected) {
        assertThatThrownBy(() -> new MySqlQuiescerFactory().create(new QuiescerSpec("mysql", Map.of(name, value))))
                .hasMessageContaining("setting " + name + " of quiescer mysql")
                .hasMessageContaining(expected);
    }

    @Test
    void passwordIsNotGivenToWhoeverAnswers() {
        assertThatThrownBy(() -> new MySqlQuiescerFactory()
                        .create(new QuiescerSpec("mysql", Map.of("host", "192.0.2.1", "sslMode", "trust"))))
                .hasMessageContaining("sslMode")
                .hasMessageContaining("verify-full");
    }

    @ParameterizedTest
    @CsvSource({"socketFile,/run/s,excludes", "sslMode,verify-ca,needs sslMode disable"})
    void keyIsForConnectionsWithoutTlsOnly(String name, String value, String expected) {
        assertThatThrownBy(() -> new MySqlQuiescerFactory()
                        .create(new QuiescerSpec("mysql", Map.of("serverPublicKeyFile", "/key.pem", name, value))))
                .hasMessageContaining("serverPublicKeyFile")
                .hasMessageContaining(expected);
    }

    @Test
    void keyIsAskedOfNoServerOnAnotherHost() throws Exception {
        var elsewhere = MySqlSettings.of(new QuiescerSpec("mysql", Map.of("host", "192.0.2.1", "sslMode", "disable")));

        assertThat(elsewhere.driverOptions()).doesNotContainKey("allowPublicKeyRetrieval");
    }
}
