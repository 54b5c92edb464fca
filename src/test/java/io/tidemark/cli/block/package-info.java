@NullMarked
package io.tidemark.cli.block;

import org.jspecify.annotations.NullMarked;
