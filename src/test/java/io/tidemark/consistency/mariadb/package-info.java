@NullMarked
package io.tidemark.consistency.mariadb;

import org.jspecify.annotations.NullMarked;
