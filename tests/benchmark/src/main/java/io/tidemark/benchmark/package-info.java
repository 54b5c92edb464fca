/** {@code tidemark bench}: measures beside the tool or limit they are judged by, in the same run. */
@NullMarked
package io.tidemark.benchmark;

import org.jspecify.annotations.NullMarked;
