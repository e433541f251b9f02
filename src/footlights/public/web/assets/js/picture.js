// Picture. In: a chart. Out: a PNG of it, saved by the browser. Nothing is sent anywhere.

const SCALE = 2;

export function savePicture(chart, name) {
  const picture = new Image();
  picture.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = chart.getWidth() * SCALE;
    canvas.height = chart.getHeight() * SCALE;
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--stage").trim();
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png");
    link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.png`;
    link.click();
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(chart.renderToSVGString())}`;
}
