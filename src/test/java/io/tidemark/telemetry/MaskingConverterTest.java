package io.tidemark.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MaskingConverterTest {
    @Test
    void secretsBecomeStarsWhereverTheyStand() {
        assertThat(MaskingConverter.mask("Authorization: Bearer tdm_abcdefghijklmnopqrstuv"))
                .doesNotContain("abcdefgh");
        assertThat(MaskingConverter.mask("peer.login password=hunter2 user=x"))
                .isEqualTo("peer.login password=*** user=x");
        assertThat(MaskingConverter.mask("token: s3cr3t, next")).isEqualTo("token: ***, next");
        assertThat(MaskingConverter.mask("read tdm_abcdefghijklmnopqrstuv from file"))
                .isEqualTo("read *** from file");
    }

    @Test
    void otherTextIsLeftAlone() {
        var text = "operation.ended operation=op-1 kind=sync took=12 tokens=3";

        assertThat(MaskingConverter.mask(text)).isEqualTo(text);
    }
}
