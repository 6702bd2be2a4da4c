# A server for an exported student, without torch:
#   docker build -t evokd-serve .
#   docker run --rm -p 127.0.0.1:8080:8080 -v "$PWD/exported:/model:ro" -e EVOKD_TOKEN evokd-serve
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/evokd \
 && /opt/evokd/bin/pip install --no-cache-dir -r student/serving/requirements.txt -c constraints.txt \
 && /opt/evokd/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home evokd
COPY --from=build /opt/evokd /opt/evokd
ENV PATH=/opt/evokd/bin:$PATH
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["evokd", "serve"]
CMD ["/model", "--host", "0.0.0.0"]
