package io.tidemark.agent.remote;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who is logged in to gets to see that we know a password: only what is on the agent's own host. */
class AgentRulesTest {
    private static final AgentRules RULES =
            new AgentRules(List.of("*"), Set.of("mongodb"), Path.of("/etc/tidemark"), false, Set.of());

    @ParameterizedTest
    @CsvSource({"host, 127.0.0.1", "host, localhost", "router, 127.0.0.1:27017", "router, [::1]:27017"})
    void ownHostIsAllowed(String setting, String value) {
        assertThatCode(() -> RULES.check(new QuiescerSpec("mongodb", Map.of(setting, value)), Set.of()))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "host, 10.0.0.9",
        "router, 10.0.0.9:27017",
        "router, 127.0.0.1.example:27017",
        "router, 127.0.0.1",
        "router, ':27017'"
    })
    void anyOtherIsDenied(String setting, String value) {
        assertThatThrownBy(() -> RULES.check(new QuiescerSpec("mongodb", Map.of(setting, value)), Set.of()))
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("own host");
    }
}
