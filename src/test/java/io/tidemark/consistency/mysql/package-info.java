@NullMarked
package io.tidemark.consistency.mysql;

import org.jspecify.annotations.NullMarked;
