/* The bound of the slots benchmark: the same answer from a plain loop in C that ends in Python lists. It knows nothing but
   this workload: working spans and busy spans of each practitioner, sorted, as arrays of seconds. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* free_starts(work, busy, length, before, after, step) -> list of starts. Both buffers hold pairs of int64; `after` is
   from the start of a visit to the end of its buffer. Each working span begins on the grid. */
static PyObject *free_starts(PyObject *self, PyObject *args)
{
    Py_buffer work, busy;
    long long length, before, after, step;
    if (!PyArg_ParseTuple(args, "y*y*LLLL", &work, &busy, &length, &before, &after, &step))
        return NULL;
    const long long *w = work.buf, *b = busy.buf;
    Py_ssize_t nw = work.len / 16, nb = busy.len / 16, k = 0;
    PyObject *found = PyList_New(0);
    for (Py_ssize_t i = 0; found && i < nw; i++)
        for (long long t = w[2 * i]; t + length <= w[2 * i + 1]; t += step) {
            while (k < nb && b[2 * k + 1] <= t - before)
                k++;
            if (k < nb && b[2 * k] < t + after)
                continue;
            PyObject *start = PyLong_FromLongLong(t);
            if (!start || PyList_Append(found, start) < 0)
                Py_CLEAR(found);
            Py_XDECREF(start);
            if (!found)
                break;
        }
    PyBuffer_Release(&work);
    PyBuffer_Release(&busy);
    return found;
}

static PyMethodDef methods[] = {{"free_starts", free_starts, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "c_loop", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_c_loop(void) { return PyModule_Create(&module); }
