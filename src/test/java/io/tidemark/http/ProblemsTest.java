package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import org.junit.jupiter.api.Test;

class ProblemsTest {
    @Test
    void rightThatIsLackingIsToldWithWhereToGiveIt() {
        var problem = Problems.of(new ProviderException(new ProviderError.Denied("ebs:vol-1", "ec2:CreateSnapshot")));

        assertThat(problem.status()).isEqualTo(502);
        assertThat(problem.code()).isEqualTo("storage-denied");
        assertThat(problem.document().toString()).contains("ec2:CreateSnapshot", "tidemark providers policy");
    }
}
