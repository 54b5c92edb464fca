package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.QuiescerSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MongoDbSettingsTest {

    private static MongoDbSettings settings(Map<String, String> written) throws Exception {
        return MongoDbSettings.of(new QuiescerSpec("mongodb", written));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port | 0 | 1 to 65535",
                "host | a:27018 | is not one name or address",
                "host | a,b | is not one name or address",
                "host | a/?directConnection=false | is not one name or address",
                "caFile | /ca.pem | needs tls",
                "user | tidemark | needs passwordFile",
                "passwordFile | /p | needs user",
                "tls | yes | on, off",
                "flushTimeoutMillis | 99 | 100 to 600000",
                "answerTimeoutMillis | soon | is not a number",
                "password | secret | not known",
            })
    void badSettingIsRefusedByName(String name, String value, String expected) {
        assertThatThrownBy(() -> settings(Map.of(name, value)))
                .hasMessageContaining("setting " + name)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1,false", "localhost,false", "::1,false", "192.0.2.7,true"})
    void passwordGoesToNoOtherHostInTheClearUnlessToldTo(String host, boolean tls) throws Exception {
        assertThat(settings(Map.of("host", host)).tls()).isEqualTo(tls);
        assertThat(settings(Map.of("host", host, "tls", "off")).tls()).isFalse();
        assertThat(settings(Map.of("host", host, "tls", "on")).tls()).isTrue();
    }

    @Test
    void subjectIsTheAddress() throws Exception {
        assertThat(settings(Map.of()).subject()).isEqualTo("127.0.0.1:27017");
        assertThat(settings(Map.of("host", "::1", "port", "27018")).subject()).isEqualTo("[::1]:27018");
    }

    @Test
    void laterTermIsLaterWhateverItsClockSays() {
        var early = new OpTime(1, 9L << 32);

        assertThat(new OpTime(2, 1)).isGreaterThan(early);
        assertThat(new OpTime(1, (9L << 32) + 1)).isGreaterThan(early);
        assertThat(new OpTime(1, 0xf000_0000L << 32)).isGreaterThan(early);
    }
}
