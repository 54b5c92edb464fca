package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.xml.stream.XMLStreamException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThinXmlTest {
    private static final int CHUNK = 64 << 10;

    private static List<BlockRange> ranges(String xml) throws XMLStreamException {
        var all = new ArrayList<BlockRange>();
        try (var reader = new ThinXml(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)))) {
            for (var next = reader.next(); next.isPresent(); next = reader.next()) {
                all.add(next.get());
            }
        }
        return all;
    }

    private static BlockRange chunks(long first, long count) {
        return new BlockRange(first * CHUNK, count * CHUNK);
    }

    /** thin_delta of thin-provisioning-tools 0.9.0. */
    @Test
    void whatDiffersOrIsOnOneSideIsNamedAndWhatIsTheSameIsNot() throws Exception {
        assertThat(ranges("""
                        <superblock uuid="" time="2" transaction="3" data_block_size="128" nr_data_blocks="0">
                          <diff left="2" right="3">
                            <different begin="0" length="1"/>
                            <same begin="1" length="8"/>
                            <left_only begin="9" length="1"/>
                            <right_only begin="2256" length="48"/>
                            <unheard_of begin="8192" length="2"/>
                          </diff>
                        </superblock>
                        """)).containsExactly(chunks(0, 1), chunks(9, 1), chunks(2256, 48), chunks(8192, 2));
    }

    @Test
    void mappingsOfADumpAreNamed() throws Exception {
        assertThat(ranges("""
                        <superblock uuid="" time="2" transaction="3" flags="0" version="2" data_block_size="128" nr_data_blocks="0">
                          <device dev_id="1" mapped_blocks="9" transaction="0" creation_time="0" snap_time="2">
                            <single_mapping origin_block="0" data_block="1091" time="2"/>
                            <range_mapping origin_begin="1" data_begin="516" length="8" time="0"/>
                          </device>
                        </superblock>
                        """)).containsExactly(chunks(0, 1), chunks(1, 8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<superblock data_block_size='128'><diff><different begin='0' length='0'/></diff></superblock>",
                "<superblock data_block_size='128'><diff><different begin='9223372036854775807' length='1'/></diff></superblock>",
                "<superblock data_block_size='128'><diff><different begin='-1' length='1'/></diff></superblock>",
                "<superblock data_block_size='128'><diff><unheard_of/></diff></superblock>",
                "<diff><different begin='0' length='1'/></diff>",
                "<superblock data_block_size='x'/>",
                "<superblock data_block_size='128'><diff>",
                ""
            })
    void whatCannotBeRightIsRefused(String xml) {
        assertThatThrownBy(() -> ranges(xml)).isInstanceOf(XMLStreamException.class);
    }
}
